import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { readCard } from './card.ts'
import { MAX_DEPTH, plainCopy } from './plainCopy.ts'

/** Which specification a card follows: the flat first one, `chara_card_v2`, `chara_card_v3`. */
export type CardSpec = 'v1' | 'v2' | 'v3'

export interface CardPicture {
  readonly bytes: Uint8Array
  readonly mime: string
}

/** A card in the form of its newest specification. */
export interface NormalisedCard {
  /** The `data` object of Character Card V3: every required field there, unknown ones and `extensions` kept. */
  readonly card: JsonRecord
  readonly spec: CardSpec
  /** What was mended, in sentences. */
  readonly warnings: readonly string[]
}

const REQUIRED_TEXTS = [
  'name',
  'description',
  'personality',
  'scenario',
  'first_mes',
  'mes_example',
  'creator_notes',
  'system_prompt',
  'post_history_instructions',
  'creator',
  'character_version',
] as const
const REQUIRED_LISTS = ['alternate_greetings', 'tags', 'group_only_greetings'] as const
const V1_TEXTS = REQUIRED_TEXTS.slice(0, 6)
/** What V2 does not know. */
const V3_FIELDS: ReadonlySet<string> = new Set([
  'assets',
  'nickname',
  'creator_notes_multilingual',
  'source',
  'group_only_greetings',
  'creation_date',
  'modification_date',
])
const MAX_VALUES = 2 ** 20

/**
 * Brings a parsed card of V1, V2 or V3 into the form of V3. A required field that is missing is there and empty; one that is
 * of the wrong type stays as it is, so that nothing of the file is lost, and `readCard` reads it as far as it can be.
 *
 * Reference: kwaroran/character-card-spec-v3, SPEC_V3.md; malfoyslastname/character-card-spec-v2.
 *
 * @throws HycoraError `format-invalid` when there is no name, or lists and objects nest deeper than 64.
 */
export function normaliseCard(whole: JsonRecord, name: string): NormalisedCard {
  const warnings: string[] = []
  const inner = innerOf(whole, warnings)
  const own = inner ?? whole
  const spec = specOf(whole, inner !== undefined)
  const version = Number(ownField(whole, 'spec_version'))
  if (spec === 'v3' && version > 3) {
    warnings.push(`The card follows version ${version} of the specification; 3.0 is what is known here.`)
  }
  const fields = new Map(Object.entries(copyJson(own, name)))
  if (inner === undefined) for (const key of ['spec', 'spec_version', 'data']) fields.delete(key)
  const isMissing = (key: string): boolean => fields.get(key) === undefined || fields.get(key) === null
  for (const key of REQUIRED_TEXTS) if (isMissing(key)) fields.set(key, '')
  for (const key of REQUIRED_LISTS) if (isMissing(key)) fields.set(key, [])
  if (isMissing('extensions')) fields.set('extensions', {})
  const beside = ownField(whole, 'name')
  if (isBlank(fields.get('name')) && typeof beside === 'string' && !isBlank(beside)) {
    fields.set('name', beside)
    warnings.push('The card has its name beside its data, not in it; it was taken from there.')
  }
  check(!isBlank(fields.get('name')), 'format-invalid', () => `${name} is no character card: it has no name`)
  const card = Object.fromEntries(fields)
  readCard(card, '', warnings)
  return { card, spec, warnings }
}

function isBlank(value: unknown): boolean {
  return (typeof value !== 'string' && typeof value !== 'number') || String(value).trim() === ''
}

/** The `data` of a card, which some programs write as JSON within JSON. */
function innerOf(whole: JsonRecord, warnings: string[]): JsonRecord | undefined {
  const inner = ownField(whole, 'data')
  if (isJsonRecord(inner)) return inner
  if (typeof inner !== 'string' || !/^\s*\{/.test(inner)) return undefined
  try {
    const parsed: unknown = JSON.parse(inner)
    warnings.push("The card's data is JSON within a text, and was read from there.")
    return isJsonRecord(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function specOf(whole: JsonRecord, hasData: boolean): CardSpec {
  const stated = ownField(whole, 'spec')
  if (typeof stated === 'string' && /^chara_card_v(?:[3-9]|\d\d)/.test(stated)) return 'v3'
  return stated === 'chara_card_v2' || hasData ? 'v2' : 'v1'
}

/**
 * A `plainCopy` of the whole.
 *
 * @throws HycoraError `format-invalid` when it nests deeper than 64, or holds more than 2²⁰ values.
 */
export function copyJson(record: JsonRecord, name: string): JsonRecord {
  let values = 0
  return plainCopy(record, (depth) => {
    check(++values <= MAX_VALUES, 'format-invalid', () => `${name} holds more than ${MAX_VALUES} values`)
    check(depth <= MAX_DEPTH, 'format-invalid', () => `${name} nests deeper than ${MAX_DEPTH} levels`)
    return true
  })
}

/**
 * The whole V3 object of a card. What other programs keep beside `data` in `original` stays; where they repeat a field of
 * V1 there, it follows the card.
 */
export function cardV3(card: JsonRecord, original?: JsonRecord): JsonRecord {
  return { ...besideData(card, original), spec: 'chara_card_v3', spec_version: '3.0', data: card }
}

/** The V2 object of a card, for programs that know no V3: as `cardV3`, without the fields of V3. */
export function cardV2(card: JsonRecord, original?: JsonRecord): JsonRecord {
  const data = Object.fromEntries(Object.entries(card).filter(([key]) => !V3_FIELDS.has(key)))
  return { ...besideData(card, original), spec: 'chara_card_v2', spec_version: '2.0', data }
}

function besideData(card: JsonRecord, original: JsonRecord | undefined): JsonRecord {
  if (original === undefined || !isJsonRecord(ownField(original, 'data'))) return {}
  const known: ReadonlySet<string> = new Set(V1_TEXTS)
  const entries = Object.entries(original).filter(([key]) => key !== '__proto__')
  return Object.fromEntries(
    entries.map(([key, value]) => [key, known.has(key) ? ownField(card, key) : value] as const),
  )
}
