import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'

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
  /** Other programs' data, kept as they are. */
  readonly extensions: JsonRecord
}

const MAX_TEXT_CHARACTERS = 2 ** 20
const MAX_SHORT_CHARACTERS = 1024
const MAX_ENTRIES = 1024
const MAX_DEPTH = 64

/**
 * Reads a card leniently: a field of the wrong type is empty, texts are cut at 2²⁰ characters and lists at 1,024
 * entries. Takes the `data` object or a whole card that holds one; everything is copied, no key `__proto__` with it.
 *
 * @param fallbackName whose card it is where it names nobody.
 * @throws HycoraError `format-invalid` when it is not an object or has no name.
 */
export function readCard(value: unknown, fallbackName = ''): CharacterCard {
  check(isJsonRecord(value), 'format-invalid', () => 'the character card is not a JSON object')
  const inner = ownField(value, 'data')
  const data = isJsonRecord(inner) ? inner : value
  const long = (key: string): string => text(ownField(data, key), MAX_TEXT_CHARACTERS)
  const short = (key: string): string => text(ownField(data, key), MAX_SHORT_CHARACTERS)
  const name = short('name').trim() || fallbackName
  check(name, 'format-invalid', () => 'the character card has no name')
  const extensions = ownField(data, 'extensions')
  return {
    name,
    nickname: short('nickname').trim(),
    description: long('description'),
    personality: long('personality'),
    scenario: long('scenario'),
    firstMessage: long('first_mes'),
    alternateGreetings: texts(ownField(data, 'alternate_greetings'), MAX_TEXT_CHARACTERS),
    groupOnlyGreetings: texts(ownField(data, 'group_only_greetings'), MAX_TEXT_CHARACTERS),
    exampleMessages: long('mes_example'),
    systemPrompt: long('system_prompt'),
    postHistoryInstructions: long('post_history_instructions'),
    creator: short('creator'),
    creatorNotes: long('creator_notes'),
    characterVersion: short('character_version'),
    tags: texts(ownField(data, 'tags'), MAX_SHORT_CHARACTERS),
    source: texts(ownField(data, 'source'), MAX_SHORT_CHARACTERS),
    assets: list(ownField(data, 'assets')).filter(isJsonRecord).map(readAsset),
    lorebookEntries: loreEntries(ownField(data, 'character_book')).length,
    lore: loreEntries(ownField(data, 'character_book'))
      .slice(0, MAX_ENTRIES)
      .map((entry) => text(isJsonRecord(entry) ? ownField(entry, 'content') : '', MAX_TEXT_CHARACTERS))
      .filter((content) => content.trim() !== ''),
    extensions: isJsonRecord(extensions) ? copyRecord(extensions, 0) : {},
  }
}

function text(value: unknown, most: number): string {
  return typeof value === 'string' ? value.slice(0, most).toWellFormed() : ''
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_ENTRIES) : []
}

function texts(value: unknown, most: number): readonly string[] {
  return list(value)
    .filter((entry) => typeof entry === 'string')
    .map((entry) => text(entry, most))
}

function readAsset(asset: JsonRecord): CardAsset {
  return {
    type: text(ownField(asset, 'type'), MAX_SHORT_CHARACTERS),
    uri: text(ownField(asset, 'uri'), MAX_TEXT_CHARACTERS),
    name: text(ownField(asset, 'name'), MAX_SHORT_CHARACTERS),
    ext: text(ownField(asset, 'ext'), MAX_SHORT_CHARACTERS),
  }
}

/** Entries stand in a list, or, as some programs write them, in an object by number. */
function loreEntries(book: unknown): readonly unknown[] {
  const entries = isJsonRecord(book) ? ownField(book, 'entries') : undefined
  return typeof entries === 'object' && entries !== null ? Object.values(entries) : []
}

function copyRecord(record: JsonRecord, depth: number): JsonRecord {
  // `fromEntries` defines the keys, so none of them can reach a prototype; `__proto__` goes lest a later copy assigns it.
  const entries = Object.entries(record).filter(([key]) => key !== '__proto__')
  return Object.fromEntries(entries.map(([key, value]) => [key, copy(value, depth + 1)]))
}

function copy(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return null
  if (Array.isArray(value)) return value.map((entry) => copy(entry, depth + 1))
  return isJsonRecord(value) ? copyRecord(value, depth) : value
}
