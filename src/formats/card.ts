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
  /** Other programs' data, kept as they are. */
  readonly extensions: JsonRecord
}

const MAX_TEXT_CHARACTERS = 2 ** 20
const MAX_SHORT_CHARACTERS = 1024
const MAX_ENTRIES = 1024
const MAX_PORTRAIT_CHARACTERS = 16 * 1024
const MAX_DEPTH = 64

/**
 * Reads a card leniently: a field of the wrong type is empty, texts are cut at 2²⁰ characters and lists at 1,024
 * entries. Takes the `data` object or a whole card that holds one; everything is copied, no key `__proto__` with it.
 *
 * @throws HycoraError `format-invalid` when it is not an object or has no name.
 */
export function readCard(value: unknown): CharacterCard {
  check(isJsonRecord(value), 'format-invalid', () => 'the character card is not a JSON object')
  const inner = ownField(value, 'data')
  const data = isJsonRecord(inner) ? inner : value
  const long = (key: string): string => text(ownField(data, key), MAX_TEXT_CHARACTERS)
  const short = (key: string): string => text(ownField(data, key), MAX_SHORT_CHARACTERS)
  const name = short('name').trim()
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
    extensions: isJsonRecord(extensions) ? copyRecord(extensions, 0) : {},
  }
}

/**
 * The card as one system text: `system_prompt`, description, personality, scenario and `mes_example`, the non-empty ones
 * joined by blank lines, with the names filled in.
 */
export function cardText(card: CharacterCard, userName: string): string {
  const parts = [card.systemPrompt, card.description, card.personality, card.scenario, card.exampleMessages]
  const present = parts.filter((part) => part.trim() !== '')
  return fillNames(present.join('\n\n'), card, userName)
}

/** Replaces `{{char}}`, `<char>` and `<bot>` by the character's name, `{{user}}` and `<user>` by the visitor's. */
export function fillNames(template: string, card: CharacterCard, userName: string): string {
  const character = card.nickname || card.name
  return template.replaceAll(
    /\{\{(char|user)\}\}|<(char|bot|user)>/gi,
    (_, braced?: string, angled?: string) =>
      (braced ?? angled)?.toLowerCase() === 'user' ? userName : character,
  )
}

/** The portrait that travels within the card: the first icon that is a drawing of at most 16 KiB, as a data URI. */
export function cardPortrait(card: CharacterCard): string | null {
  const icons = card.assets.filter(
    ({ type, uri }) => type === 'icon' && /^data:image\/svg\+xml[;,]/i.test(uri),
  )
  const drawn = icons.filter(({ uri }) => uri.length <= MAX_PORTRAIT_CHARACTERS)
  return (drawn.find(({ name }) => name === 'main') ?? drawn[0])?.uri ?? null
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
