import type { GetICUArgs } from '@schummar/icu-type-parser'
import { IntlMessageFormat } from 'intl-messageformat'

import type { PageLanguage } from '../../src/storage/records.ts'

/** Texts by their keys, as ICU messages. */
export type Words = Readonly<Record<string, string>>

/** The same texts in another language. */
export type Translation<English extends Words> = { readonly [Key in keyof English]: string }

interface ValueTypes {
  ICUArgument: string | number
  ICUNumberArgument: number
}

/** What a message must be given, as its text says. */
type Values<Message extends string> = GetICUArgs<Message, ValueTypes>

/** Says a text of a catalogue in the language of the page; a key that is not there, or a value that is missing, is an error of types. */
type Sayer<English extends Words> = <Key extends keyof English & string>(
  key: Key,
  ...values: [keyof Values<English[Key]>] extends [never] ? [] : [Values<English[Key]>]
) => string

/** The texts of a room in one language, with those of its messages that were read. */
interface Spoken {
  readonly words: Words
  readonly language: PageLanguage
  readonly read: Map<string, IntlMessageFormat>
}

interface Catalogue {
  readonly english: Spoken
  readonly fetchChinese: () => Promise<{ readonly words: Words }>
  chinese: Spoken | null
}

const catalogues: Catalogue[] = []

/** The language of the page; it changes with `speakLanguage`. */
let spoken: PageLanguage = 'en'

function spokenWords(language: PageLanguage, words: Words): Spoken {
  return { language, words, read: new Map() }
}

/** What is fetched with the Chinese texts, while Chinese is spoken; null otherwise. */
export function withChinese<T>(fetch: () => Promise<T>): () => T | null {
  let fetched: T | null = null
  const fetchChinese = async (): Promise<{ readonly words: Words }> => {
    fetched = await fetch()
    return { words: {} }
  }
  catalogues.push({ english: spokenWords('en', {}), fetchChinese, chinese: null })
  return () => (spoken === 'en' ? null : fetched)
}

/**
 * The texts of a room. The English ones come with the code that says them, the others when the page speaks their language;
 * until then, and where they do not come, English is spoken.
 */
export function catalogue<const English extends Words>(
  english: English,
  fetchChinese: () => Promise<{ readonly words: Translation<English> }>,
): Sayer<English> {
  const entry: Catalogue = { english: spokenWords('en', english), fetchChinese, chinese: null }
  catalogues.push(entry)
  return (key, ...values) => {
    const said = (spoken === 'en' ? null : entry.chinese) ?? entry.english
    // That they are texts and numbers by name is what `Values` says, which is only known message by message.
    return wordsFor(said, key, values[0] as Readonly<Record<string, string | number>> | undefined)
  }
}

function wordsFor(
  { words, language, read }: Spoken,
  key: string,
  values: Readonly<Record<string, string | number>> | undefined,
): string {
  const text = words[key] ?? key
  if (!/[{']/.test(text)) return text
  const message =
    read.get(key) ?? new IntlMessageFormat(text, localeOf(language), undefined, { ignoreTag: true })
  read.set(key, message)
  return String(message.format(values))
}

/** Fetches the texts of a language for all rooms that are here. */
export async function fetchWords(language = spoken): Promise<void> {
  if (language === 'en') return
  const missing = catalogues.filter(({ chinese }) => chinese === null)
  await Promise.all(
    missing.map(async (entry) => {
      const { words } = await entry.fetchChinese()
      entry.chinese = spokenWords(language, words)
    }),
  )
}

/** Speaks a language from now on; its texts are fetched before. */
export function speakLanguage(language: PageLanguage): void {
  spoken = language
}

/** How numbers, dates and lists are written in the language of the page, as a BCP 47 tag. */
export function locale(): string {
  return localeOf(spoken)
}

function localeOf(language: PageLanguage): string {
  return language === 'en' ? 'en-GB' : 'zh-Hans-CN'
}

/** The language for a visitor who reads these, the best first; English where none of them is spoken here. */
export function languageFor(tags: readonly string[]): PageLanguage {
  const wanted = tags
    .map((tag) => tag.toLowerCase().split('-')[0])
    .find((tag) => tag === 'en' || tag === 'zh')
  return wanted === 'zh' ? 'zh-Hans' : 'en'
}
