import { decodeBase64 } from '../core/base64.ts'
import { check, HycoraError } from '../core/errors.ts'
import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'
import { decodeText, withoutFilling } from '../core/text.ts'
import { readCard } from './card.ts'
import { copyJson, normaliseCard, type CardPicture, type CardSpec } from './cardSpec.ts'
import { isChatJson } from './chatFile.ts'
import { readOtherCharacter } from './otherCharacters.ts'

/** A character card as a file holds it. */
export interface CardFile {
  /** The `data` object of Character Card V3, its values as they came; read it with `readCard`. */
  readonly card: JsonRecord
  /** The whole JSON object of the file, to be given to the writers, so that nothing of it is lost. */
  readonly original: JsonRecord
  readonly spec: CardSpec
  /** Whose form the file has, where that is another program's own. */
  readonly program?: string
  readonly portrait?: CardPicture
  /** Chats that came along, as `readChatRows` reads them where they are written as JSON. */
  readonly chats?: JsonRecord
  /** A persona pack that travels with the card, not checked. */
  readonly adapter?: Uint8Array
  /** Further files of a CHARX by path, or those that an old PNG card embeds by name. */
  readonly assets: ReadonlyMap<string, Uint8Array>
  /** What a reader should be told, in sentences. */
  readonly warnings: readonly string[]
}

/** What a card's JSON may have at most, in bytes. */
export const MAX_CARD_BYTES = 2 ** 24

/** A card, or another program's character, from the object that a file holds. @throws HycoraError as `normaliseCard`. */
export function readCardRecord(
  whole: JsonRecord,
  fileName: string,
  before: readonly string[] = [],
): CardFile {
  const other = isCardRecord(whole) ? null : readOtherCharacter(whole)
  const { card, spec, warnings } = normaliseCard(other?.data ?? whole, fileName)
  const portrait = drawnPortrait(card)
  return {
    card,
    original: whole,
    spec,
    ...(other && { program: other.program }),
    ...(portrait && { portrait }),
    ...(isChatJson(whole) && { chats: whole }),
    assets: new Map(),
    warnings: [...before, ...warnings],
  }
}

/** Keys under which some programs and sites put a whole card. */
const WRAPPERS = ['card', 'character', 'char', 'characterCard', 'payload']

/** The object that is a card: the whole, the only one of a list, or one within a wrapper; undefined where none is. */
export function cardIn(value: unknown): JsonRecord | undefined {
  if (Array.isArray(value)) return value.length === 1 ? cardIn(value[0]) : undefined
  if (!isJsonRecord(value)) return undefined
  if (isCardRecord(value) || readOtherCharacter(value)) return value
  const inner = WRAPPERS.map((key) => ownField(value, key)).find(
    (one) => isJsonRecord(one) && (isCardRecord(one) || isFlatCard(one)),
  )
  return isJsonRecord(inner) ? inner : undefined
}

/** Whether an object has the fields of a card, or holds one that has, and does not say what it is. */
export function isFlatCard(value: JsonRecord): boolean {
  const data = ownField(value, 'data')
  const fields = isJsonRecord(data) ? data : value
  const texts = ['description', 'personality', 'first_mes', 'mes_example', 'scenario']
  const isNamed = typeof ownField(fields, 'name') === 'string'
  return isNamed && texts.some((key) => Object.hasOwn(fields, key))
}

/** Whether an object says that it is a character card. */
export function isCardRecord(whole: JsonRecord): boolean {
  const spec = ownField(whole, 'spec')
  return typeof spec === 'string' && spec.startsWith('chara_card')
}

/** The JSON object that bytes hold, in whichever encoding, and what is to be told of it. */
export function parseCardJson(
  bytes: Uint8Array,
  where: string,
): { readonly whole: JsonRecord; readonly warnings: readonly string[] } {
  check(bytes.length <= MAX_CARD_BYTES, 'format-invalid', () => {
    return `${where} has ${bytes.length} bytes, a card may have ${MAX_CARD_BYTES}`
  })
  const { text, warning } = decodeText(withoutFilling(bytes), where)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new HycoraError('format-invalid', `${where} is not valid JSON`, { cause: error })
  }
  const whole = cardIn(value) ?? value
  check(isJsonRecord(whole), 'format-invalid', () => `${where} is not a JSON object`)
  return { whole: copyJson(whole, where), warnings: warning === null ? [] : [`${warning}.`] }
}

const DATA_PICTURE = /^data:(image\/(?:png|jpeg|jpg|webp|gif|avif));base64,/i

/** The picture that a card carries as an address of its own: the icon called "main", else the first. */
function drawnPortrait(card: JsonRecord): CardPicture | null {
  const icons = readCard(card).assets.filter(({ type, uri }) => type === 'icon' && DATA_PICTURE.test(uri))
  const icon = icons.find(({ name }) => name === 'main') ?? icons[0]
  const [prefix = '', mime = ''] = (icon && DATA_PICTURE.exec(icon.uri)) ?? []
  const bytes = icon && decodeBase64(icon.uri.slice(prefix.length))
  return bytes ? { bytes, mime: mime.toLowerCase().replace('jpg', 'jpeg') } : null
}
