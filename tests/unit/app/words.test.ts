import { IntlMessageFormat } from 'intl-messageformat'
import { describe, expect, test } from 'vitest'

import { catalogue, fetchWords, languageFor, speakLanguage } from '../../../app/words/catalogue.ts'
import { textsIn } from '../../support/pageTexts.ts'

type Words = Readonly<Record<string, string>>

const english = import.meta.glob<Words>('../../../app/words/en/*.ts', { eager: true, import: 'words' })
const chinese = import.meta.glob<Words>('../../../app/words/zh/*.ts', { eager: true, import: 'words' })
const code = import.meta.glob<string>(['../../../app/**/*.{ts,tsx}', '!../../../app/words/**'], {
  eager: true,
  query: '?raw',
  import: 'default',
})

const files = Object.entries(code).map(([path, text]) => {
  const name = path.replace('../../../app/', '')
  return { path: name, ...textsIn(name, text) }
})

const roomNames = Object.keys(english).map((path) => /(\w+)\.ts$/.exec(path)![1]!)
const wordsOf = (from: typeof english, language: string, room: string): Words =>
  from[`../../../app/words/${language}/${room}.ts`] ?? {}

/** Folders and files of the page whose texts have not come into the catalogues yet. */
const NOT_YET = [
  'arrivals/',
  'backstage/',
  'blend/',
  'cast/',
  'chat/',
  'group/',
  'map/',
  'science/',
  'share/',
  'shared/',
  'stores/',
  'teach/',
]

/** Texts that stand in the code, and why. */
const IN_CODE: Readonly<Record<string, readonly string[]>> = {
  // What the page is called, in every language.
  'App.tsx': [' · HyCoRA playground', 'HyCoRA playground'],
}

describe('no text stands in the code', () => {
  test.each(files.filter(({ path }) => !NOT_YET.some((start) => path.startsWith(start))))(
    'of $path',
    ({ path, texts }) => {
      expect(texts.filter((text) => !IN_CODE[path]?.includes(text))).toEqual([])
    },
  )

  test.each([
    ['<p>Nobody is here.</p>', ['Nobody is here. ']],
    ['<p>{count} tokens</p>', [' tokens ']],
    ['<b aria-label="close" className="wide room">{x}</b>', ['close']],
    ['<Button label={isOpen ? "close" : chatText("open")} look="quiet" />', ['close']],
    ['notify(`${name} has left.`)', [' has left.']],
    ['const about = { name: "Steady", value: "steady" }', ['Steady']],
    ['if (kind === "Some kind") go("some-where")', []],
    ['import a from "./some where.ts"; type A = "Some text"', []],
  ])('%s', (text, expected) => {
    expect(textsIn('a.tsx', text).texts).toEqual(expected)
  })
})

const calls = files.flatMap((file) => file.calls.map((call) => ({ ...call, path: file.path })))

describe.each(roomNames)('the catalogue of %s', (room) => {
  const [en, zh] = [wordsOf(english, 'en', room), wordsOf(chinese, 'zh', room)]

  test('has the same texts in both languages', () => {
    expect(Object.keys(en).length).toBeGreaterThan(0)
    expect(Object.keys(zh)).toEqual(Object.keys(en))
  })

  test.each(Object.keys(en))('asks the same of whoever says %s', (key) => {
    const [said, meant] = [shapeOf(en[key]!), shapeOf(zh[key]!)]
    expect(meant.asked).toEqual(said.asked)
    // Every plural has the forms of its language, and those for single numbers.
    for (const forms of said.plurals) expect(forms).toEqual(expect.arrayContaining(['one', 'other']))
    for (const forms of meant.plurals)
      expect(forms.filter((form) => !form.startsWith('='))).toEqual(['other'])
  })

  test('has no text that nobody says', () => {
    const said = calls.filter(({ name }) => name === `${room}Text`).flatMap(({ keys }) => keys)
    expect(Object.keys(en).filter((key) => !said.some((pattern) => pattern.test(key)))).toEqual([])
  })

  test('is spoken when it is said, not when its file is read', () => {
    const early = calls.filter(({ name, depth }) => name === `${room}Text` && depth === 0)
    expect(early.map(({ path }) => path)).toEqual([])
  })

  test('has the signs of its language', () => {
    expect(
      Object.values(en).filter((text) => /["\p{Script=Han}]|\.\.\.|[a-z]'[a-z]/u.test(withoutNames(text))),
    ).toEqual([])
    expect(
      Object.values(zh).filter((text) =>
        /["]|\p{Script=Han}\s?[,:;?!.()]|[,:;?!()]\s?\p{Script=Han}|！/u.test(text),
      ),
    ).toEqual([])
  })
})

/** Names of languages stand in their own. */
function withoutNames(text: string): string {
  return text === '简体中文' ? '' : text
}

interface Shape {
  /** What a message asks for, and the words that it sets apart. */
  readonly asked: readonly string[]
  /** The forms of each of its plurals. */
  readonly plurals: readonly (readonly string[])[]
}

function shapeOf(text: string): Shape {
  const asked = new Set([...text.matchAll(/<(\w+)>/g)].map(([tag]) => tag))
  const plurals: string[][] = []
  const read = (elements: ReturnType<IntlMessageFormat['getAst']>): void => {
    for (const element of elements) {
      // 0 is plain words.
      if ('value' in element && element.type.valueOf() !== 0) asked.add(element.value)
      if (!('options' in element)) continue
      if ('pluralType' in element) plurals.push(Object.keys(element.options).toSorted())
      for (const option of Object.values(element.options)) read(option.value)
    }
  }
  read(new IntlMessageFormat(text, 'en', undefined, { ignoreTag: true }).getAst())
  return { asked: [...asked].toSorted(), plurals }
}

test('the page speaks the first of the browser’s languages that it can', () => {
  expect(languageFor(['zh-CN', 'en'])).toBe('zh-Hans')
  expect(languageFor(['de-DE', 'zh-TW', 'en-US'])).toBe('zh-Hans')
  expect(languageFor(['en-GB', 'zh'])).toBe('en')
  expect(languageFor(['fr'])).toBe('en')
  expect(languageFor([])).toBe('en')
})

test('what is not there in the page’s language yet is said in English', async () => {
  const mewText = catalogue({ mews: '{mews, plural, one {one mew} other {# mews}}, {who}' }, () =>
    Promise.resolve({ words: { mews: '{who}：喵 {mews, number} 声' } }),
  )
  speakLanguage('zh-Hans')
  expect(mewText('mews', { mews: 1200, who: 'Dinah' })).toBe('1,200 mews, Dinah')
  await fetchWords()
  expect(mewText('mews', { mews: 1200, who: 'Dinah' })).toBe('Dinah：喵 1,200 声')
  speakLanguage('en')
  expect(mewText('mews', { mews: 1, who: 'Dinah' })).toBe('one mew, Dinah')
})
