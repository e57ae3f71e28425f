import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { cardEntry } from './cardEntry.ts'
import { listedEntries, unpackedBook } from './packedEntries.ts'
import { entriesOf, isWorldEntry } from './readLorebook.ts'

/** A lorebook that is a file of its own. */
export interface LoreFile {
  /** Whose form it has. */
  readonly program: string
  /** As it names itself; empty where it does not. */
  readonly name: string
  /** A card's book, the `data` of V3, or World Info, as `readLorebook` takes it. */
  readonly book: JsonRecord
}

/** The lorebook that a parsed file is; null for what is none. */
export function loreIn(value: unknown): LoreFile | null {
  if (Array.isArray(value)) return listed(value)
  if (!isJsonRecord(value)) return null
  for (const read of READERS) {
    const found = read(value)
    if (found) return found
  }
  return null
}

/** The lorebook of a text that is known to be one; an empty one for what is none. */
export function bookOfText(text: string): JsonRecord {
  try {
    return loreIn(JSON.parse(text))?.book ?? {}
  } catch {
    return {}
  }
}

function textOf(record: JsonRecord, key: string): string {
  const value = ownField(record, key)
  return typeof value === 'string' ? value : ''
}

function isEntry(entry: JsonRecord): boolean {
  const keys = ['keys', 'key', 'keywords', 'keysecondary', 'secondary_keys']
  const hasContent = Object.hasOwn(entry, 'content') || Object.hasOwn(entry, 'entry')
  return hasContent && keys.some((key) => Object.hasOwn(entry, key))
}

/** World info of KoboldAI, a bare list of entries. */
function listed(value: readonly unknown[]): LoreFile | null {
  const entries = value.filter(isJsonRecord)
  const isLore = entries.length > 0 && entries.length === value.length && entries.every(isEntry)
  return isLore ? { program: 'KoboldAI', name: '', book: { entries } } : null
}

/** `{"spec": "lorebook_v3", "data": …}`. */
function v3(value: JsonRecord): LoreFile | null {
  const [spec, data] = [ownField(value, 'spec'), ownField(value, 'data')]
  if (typeof spec !== 'string' || !spec.startsWith('lorebook') || !isJsonRecord(data)) return null
  return { program: 'Character Card V3', name: textOf(data, 'name'), book: data }
}

/** Agnai's memory book. */
function agnai(value: JsonRecord): LoreFile | null {
  const entries = ownField(value, 'entries')
  if (ownField(value, 'kind') !== 'memory' || !Array.isArray(entries)) return null
  return { program: 'Agnai', name: textOf(value, 'name'), book: agnaiBook(value) }
}

/** A memory book of Agnai in the form of a card's. */
export function agnaiBook(value: JsonRecord): JsonRecord {
  return {
    name: textOf(value, 'name'),
    extensions: {},
    entries: entriesOf(value).map((entry, index) => ({
      keys: ownField(entry, 'keywords'),
      content: textOf(entry, 'entry') || textOf(entry, 'content'),
      name: textOf(entry, 'name'),
      enabled: ownField(entry, 'enabled') !== false,
      insertion_order: ownField(entry, 'weight') ?? index,
      priority: ownField(entry, 'priority'),
      extensions: {},
    })),
  }
}

/** RisuAI's, whose keys stand in one text. */
function risu(value: JsonRecord): LoreFile | null {
  const data = ownField(value, 'data')
  if (ownField(value, 'type') !== 'risu' || !Array.isArray(data)) return null
  const entries = data.filter(isJsonRecord).map((entry) => ({
    keys: ownField(entry, 'key'),
    secondary_keys: ownField(entry, 'secondkey'),
    selective: ownField(entry, 'selective'),
    content: ownField(entry, 'content'),
    comment: ownField(entry, 'comment'),
    constant: ownField(entry, 'alwaysActive'),
    use_regex: ownField(entry, 'useRegex'),
    insertion_order: ownField(entry, 'insertorder'),
    enabled: ownField(entry, 'mode') !== 'folder',
    extensions: {},
  }))
  return { program: 'RisuAI', name: '', book: { extensions: {}, entries } }
}

/** NovelAI's, whose keys may be patterns between slashes. */
function novelAi(value: JsonRecord): LoreFile | null {
  if (!Object.hasOwn(value, 'lorebookVersion')) return null
  const entries = entriesOf(value).map((entry) => {
    const config = ownField(entry, 'contextConfig')
    return {
      keys: ownField(entry, 'keys'),
      content: ownField(entry, 'text'),
      name: ownField(entry, 'displayName'),
      enabled: ownField(entry, 'enabled') !== false,
      constant: ownField(entry, 'forceActivation'),
      insertion_order: isJsonRecord(config) ? ownField(config, 'budgetPriority') : undefined,
      extensions: {},
    }
  })
  return { program: 'NovelAI', name: '', book: { extensions: {}, entries } }
}

/** SillyTavern's World Info, and a card's book by itself. */
function plain(value: JsonRecord): LoreFile | null {
  const entries = entriesOf(value)
  const held = ownField(value, 'entries')
  const known = ['entries', 'name', 'extensions', 'description', 'originalData']
  const isEmpty =
    typeof held === 'object' && held !== null && Object.keys(value).every((key) => known.includes(key))
  if (!entries.some(isEntry) && !isEmpty) return null
  const program = entries.some(isWorldEntry) || entries.length === 0 ? 'SillyTavern' : 'a card'
  return { program, name: textOf(value, 'name'), book: value }
}

const READERS: readonly ((value: JsonRecord) => LoreFile | null)[] = [v3, agnai, risu, novelAi, plain]

/** A card's `data` with another lorebook in it: its entries as a card has them, behind those that are there. */
export function withBook(data: JsonRecord, { name, book }: Pick<LoreFile, 'name' | 'book'>): JsonRecord {
  const present = ownField(data, 'character_book')
  // Some programs write the entries alone.
  const own = Array.isArray(present) ? { entries: present } : isJsonRecord(present) ? present : null
  const entries = entriesOf(book).map((entry) => (isWorldEntry(entry) ? cardEntry(entry) : entry))
  if (own) {
    const whole = unpackedBook(own)
    return { ...data, character_book: { ...whole, entries: [...listedEntries(whole), ...entries] } }
  }
  const isCards =
    entriesOf(book).every((entry) => !isWorldEntry(entry)) && Array.isArray(ownField(book, 'entries'))
  return { ...data, character_book: isCards ? book : { name, extensions: {}, entries } }
}
