import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { packedEntries } from './lore/packedEntries.ts'
import { MAX_DEPTH, plainCopy } from './plainCopy.ts'

export interface CardAsset {
  readonly type: string
  readonly uri: string
  readonly name: string
  readonly ext: string
}

/**
 * The `data` of a Character Card, V1 to V3, as the app uses it; what the card leaves out is empty.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md.
 */
export interface CharacterCard {
  readonly name: string
  /** Stands for the name in the texts where it is not empty. */
  readonly nickname: string
  readonly description: string
  readonly personality: string
  readonly scenario: string
  readonly firstMessage: string
  readonly alternateGreetings: readonly string[]
  readonly groupOnlyGreetings: readonly string[]
  readonly exampleMessages: string
  readonly systemPrompt: string
  readonly postHistoryInstructions: string
  readonly creator: string
  /** For people; never part of a prompt. */
  readonly creatorNotes: string
  readonly characterVersion: string
  readonly tags: readonly string[]
  readonly source: readonly string[]
  readonly assets: readonly CardAsset[]
  /** How many entries its lorebook has. */
  readonly lorebookEntries: number
  /** What they say. */
  readonly lore: readonly string[]
  /** The lorebook itself, as it came; null where it has no entry. */
  readonly book: JsonRecord | null
  /** Other programs' data, kept as they are. */
  readonly extensions: JsonRecord
}

const MAX_TEXT_CHARACTERS = 2 ** 20
const MAX_SHORT_CHARACTERS = 1024
const MAX_ENTRIES = 1024

/** A field of a card, and what a reader should be told of it. */
interface Field {
  readonly key: string
  readonly value: unknown
  /** Sentences are added. */
  readonly warnings: string[]
}

/**
 * Reads a card leniently: a value of the wrong type is read as what it can only mean, else it counts as empty, and nothing
 * else is lost for it; texts are cut at 2²⁰ characters and lists at 1,024 entries. Takes the `data` object or a whole card
 * that holds one; everything is copied, no key `__proto__` with it.
 *
 * @param fallbackName whose card it is where it names nobody.
 * @param warnings what was wrong, in sentences, is added.
 * @throws HycoraError `format-invalid` when it is not an object or has no name.
 */
export function readCard(value: unknown, fallbackName = '', warnings: string[] = []): CharacterCard {
  check(isJsonRecord(value), 'format-invalid', () => 'the character card is not a JSON object')
  const inner = ownField(value, 'data')
  const data = isJsonRecord(inner) ? inner : value
  const field = (key: string): Field => ({ key, value: ownField(data, key), warnings })
  const long = (key: string): string => textIn(field(key), MAX_TEXT_CHARACTERS)
  const short = (key: string): string => textIn(field(key), MAX_SHORT_CHARACTERS)
  const name = short('name').trim() || fallbackName
  check(name, 'format-invalid', () => 'the character card has no name')
  const lore = loreEntries(field('character_book'))
  return {
    name,
    nickname: short('nickname').trim(),
    description: long('description'),
    personality: long('personality'),
    scenario: long('scenario'),
    firstMessage: long('first_mes'),
    alternateGreetings: words(field('alternate_greetings')),
    groupOnlyGreetings: words(field('group_only_greetings')),
    exampleMessages: long('mes_example'),
    systemPrompt: long('system_prompt'),
    postHistoryInstructions: long('post_history_instructions'),
    creator: short('creator'),
    creatorNotes: long('creator_notes'),
    characterVersion: short('character_version'),
    tags: terms(field('tags'), /[,;\n]/),
    source: terms(field('source'), /[\s,]+/),
    assets: records(field('assets')).map(readAsset),
    lorebookEntries: lore.length,
    lore: lore
      .slice(0, MAX_ENTRIES)
      .map((entry) => plain(ownField(entry, 'content'), MAX_TEXT_CHARACTERS))
      .filter((content) => content.trim() !== ''),
    book: lore.length === 0 ? null : bookIn(ownField(data, 'character_book')),
    extensions: recordIn(field('extensions')),
  }
}

/** A lorebook as an object, where it is a list of entries too. */
function bookIn(value: unknown): JsonRecord {
  return shallow(isJsonRecord(value) ? value : { entries: value })
}

/** What a value is, as a sentence says it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return 'a boolean'
  return typeof value === 'string' ? 'a text' : 'a number'
}

function plain(value: unknown, most: number): string {
  return typeof value === 'string' ? value.slice(0, most).toWellFormed() : ''
}

/** A text, a number or a truth value as text; undefined for everything else. */
function scalar(value: unknown, most: number): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' ? plain(value, most) : undefined
}

/** A field that is to be a text; a list of texts is its lines. */
function textIn({ key, value, warnings }: Field, most: number): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return plain(value, most)
  const parts = (Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : [value]).map((part: unknown) =>
    scalar(part, most),
  )
  const lines = parts.filter((part) => part !== undefined)
  const isRead = lines.length > 0
  warnings.push(
    `The card's ${key} is ${kindOf(value)} where a text is due; it ${isRead ? 'was read as one' : 'counts as empty'}.`,
  )
  return lines.join('\n').slice(0, most)
}

/** A field that is to be a list of terms; a text alone is parted by `mark`. */
function terms(field: Field, mark: RegExp): readonly string[] {
  const { value } = field
  const parts = typeof value === 'string' ? value.split(mark).map((part) => part.trim()) : undefined
  return texts(field, parts, (part) => scalar(part, MAX_SHORT_CHARACTERS)).filter((term) => term !== '')
}

/** What somebody says; undefined for what is no text. */
function said(value: unknown): string | undefined {
  return typeof value === 'string' ? plain(value, MAX_TEXT_CHARACTERS) : undefined
}

/** A field that is to be a list of what somebody says; a text alone is one of them. */
function words(field: Field): readonly string[] {
  const { value } = field
  const alone = typeof value === 'string' ? [value].filter((one) => one.trim() !== '') : undefined
  return texts(field, alone, said)
}

/** A field that is to be a list of texts: `alone` is what a text has in it, and an object gives its values. */
function texts(
  { key, value, warnings }: Field,
  alone: readonly string[] | undefined,
  read: (part: unknown) => string | undefined,
): readonly string[] {
  if (value === undefined || value === null || alone?.length === 0) return []
  if (Array.isArray(value)) {
    return value.slice(0, MAX_ENTRIES).flatMap((entry: unknown, index) => {
      const found = read(entry)
      if (found === undefined) {
        warnings.push(`Entry ${index + 1} of the card's ${key} is ${kindOf(entry)} and is left out.`)
      }
      return found ?? []
    })
  }
  const parts = alone ?? (isJsonRecord(value) ? Object.values(value) : [value])
  const found = parts.slice(0, MAX_ENTRIES).flatMap((part) => read(part) ?? [])
  const outcome = found.length > 0 ? 'was read as one' : 'counts as empty'
  warnings.push(`The card's ${key} is ${kindOf(value)} where a list is due; it ${outcome}.`)
  return found
}

/** A field that is to be a list of objects. */
function records({ key, value, warnings }: Field): readonly JsonRecord[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value))
    warnings.push(`The card's ${key} is ${kindOf(value)} where a list is due; it counts as empty.`)
  const entries: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : []
  const found = entries.filter(isJsonRecord)
  if (found.length < entries.length) {
    warnings.push(`Of the card's ${key} ${entries.length - found.length} are no objects and are left out.`)
  }
  return found
}

function recordIn({ key, value, warnings }: Field): JsonRecord {
  if (isJsonRecord(value)) return shallow(value)
  if (value !== undefined && value !== null) {
    warnings.push(`The card's ${key} is ${kindOf(value)} where an object is due; it counts as empty.`)
  }
  return {}
}

function readAsset(asset: JsonRecord): CardAsset {
  const short = (key: string): string => plain(ownField(asset, key), MAX_SHORT_CHARACTERS)
  const uri = plain(ownField(asset, 'uri'), MAX_TEXT_CHARACTERS)
  return { type: short('type'), uri, name: short('name'), ext: short('ext') }
}

/** Entries stand in a list, or, as some programs write them, in an object by number. */
function loreEntries({ key, value, warnings }: Field): readonly JsonRecord[] {
  if (value === undefined || value === null) return []
  const entries = Array.isArray(value) ? value : isJsonRecord(value) ? ownField(value, 'entries') : undefined
  const listed: readonly unknown[] =
    typeof entries === 'object' && entries !== null ? Object.values(entries) : []
  const found = listed.filter(isJsonRecord)
  if (typeof entries !== 'object' && entries !== undefined) {
    warnings.push(`The entries of the card's ${key} are ${kindOf(entries)}; it counts as empty.`)
  } else if (!isJsonRecord(value) && !Array.isArray(value)) {
    warnings.push(`The card's ${key} is ${kindOf(value)} where an object is due; it counts as empty.`)
  } else if (found.length < listed.length) {
    warnings.push(
      `Of the card's ${key} ${listed.length - found.length} entries are no objects and are left out.`,
    )
  }
  return isJsonRecord(value) ? [...found, ...(packedEntries(value) ?? [])] : found
}

/** A copy that leaves out what nests too deep. */
function shallow(record: JsonRecord): JsonRecord {
  return plainCopy(record, (depth) => depth <= MAX_DEPTH)
}
