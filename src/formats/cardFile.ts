import { decodeBase64, encodeBase64 } from '../core/base64.ts'
import { check, HycoraError } from '../core/errors.ts'
import { cardV2, cardV3, copyJson, normaliseCard, type CardPicture, type CardSpec } from './cardSpec.ts'
import { readCharx } from './charx.ts'
import { isJsonRecord, type JsonRecord } from '../core/json.ts'
import { isPng, readPngChunks, readPngText, rewritePngTexts, textKeyword } from './png.ts'
import { isZip } from './zip.ts'

/** A character card as a file holds it. */
export interface CardFile {
  /** The `data` object of Character Card V3; read it with `readCard`. */
  readonly card: JsonRecord
  /** The whole JSON object of the file, to be given to the writers, so that nothing of it is lost. */
  readonly original: JsonRecord
  readonly spec: CardSpec
  readonly portrait?: CardPicture
  /** A persona pack that travels with the card, not checked. */
  readonly adapter?: Uint8Array
  /** Further files of a CHARX by path, or those that an old PNG card embeds by name. */
  readonly assets: ReadonlyMap<string, Uint8Array>
  /** What a reader should be told, in sentences. */
  readonly warnings: readonly string[]
}

/** What a card's JSON may have at most, in bytes. */
export const MAX_CARD_BYTES = 2 ** 24
const MAX_EMBEDDED_ASSETS = 256
const MAX_EMBEDDED_BYTES = 64 * 2 ** 20
const ASSET_KEYWORD = /^chara-ext-asset_:?/i

/**
 * Reads a character card from PNG, JSON or CHARX, told apart by content; nothing of it is run or fetched.
 *
 * @throws HycoraError `format-invalid` when it is none of them or broken, `format-unsupported` for a PNG without a card.
 */
export function readCardFile(bytes: Uint8Array, fileName: string): CardFile {
  if (isPng(bytes)) return readPngCard(bytes, fileName)
  if (/^\s*\{/.test(firstText(bytes))) {
    const whole = parseCardJson(bytes, fileName)
    return { ...normaliseCard(whole, fileName), original: whole, assets: new Map() }
  }
  check(isZip(bytes), 'format-invalid', () => `${fileName} is no character card: expected PNG, JSON or CHARX`)
  const { cardJson, ...parts } = readCharx(bytes, fileName)
  const whole = parseCardJson(cardJson, `${fileName}: card.json`)
  const { card, spec, warnings } = normaliseCard(whole, fileName)
  const { portrait, adapter, assets } = parts.pick(card)
  return {
    card,
    original: whole,
    spec,
    ...(portrait && { portrait }),
    ...(adapter && { adapter }),
    assets,
    warnings,
  }
}

/** The beginning of a file as text, without a mark of its byte order. */
function firstText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes.subarray(0, 256))
}

function parseCardJson(bytes: Uint8Array, where: string): JsonRecord {
  check(bytes.length <= MAX_CARD_BYTES, 'format-invalid', () => {
    return `${where} has ${bytes.length} bytes, a card may have ${MAX_CARD_BYTES}`
  })
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch (error) {
    throw new HycoraError('format-invalid', `${where} is not valid JSON`, { cause: error })
  }
  check(isJsonRecord(value), 'format-invalid', () => `${where} is not a JSON object`)
  return copyJson(value, where)
}

/** `ccv3` wins over `chara`, which is then its backfill. */
function readPngCard(bytes: Uint8Array, fileName: string): CardFile {
  const chunks = readPngChunks(bytes, fileName)
  const find = (wanted: string) => chunks.findLast((chunk) => textKeyword(chunk)?.toLowerCase() === wanted)
  const chunk = find('ccv3') ?? find('chara')
  check(chunk, 'format-unsupported', () => {
    return `${fileName} is a picture without a character card: it has neither a ccv3 nor a chara text`
  })
  const { keyword, text } = readPngText(chunk, fileName)
  const where = `${fileName}: the ${keyword} text`
  const json = /^\s*\{/.test(text)
    ? Uint8Array.from(text, (letter) => letter.charCodeAt(0))
    : decodeBase64(text)
  check(json, 'format-invalid', () => `${where} is not base64`)
  const whole = parseCardJson(json, where)
  const embedded = chunks.filter((entry) => ASSET_KEYWORD.test(textKeyword(entry) ?? ''))
  check(embedded.length <= MAX_EMBEDDED_ASSETS, 'format-invalid', () => {
    return `${fileName} embeds ${embedded.length} assets, at most ${MAX_EMBEDDED_ASSETS} are read`
  })
  const assets = new Map<string, Uint8Array>()
  let total = 0
  for (const entry of embedded) {
    const { keyword: label, text: encoded } = readPngText(entry, fileName)
    const asset = decodeBase64(encoded)
    check(asset, 'format-invalid', () => `${fileName}: the asset ${JSON.stringify(label)} is not base64`)
    total += asset.length
    check(total <= MAX_EMBEDDED_BYTES, 'format-invalid', () => {
      return `${fileName} embeds assets of more than ${MAX_EMBEDDED_BYTES} bytes`
    })
    assets.set(label.replace(ASSET_KEYWORD, ''), asset)
  }
  const portrait = {
    bytes: rewritePngTexts(bytes, fileName, { drops: isCardKeyword, texts: [] }),
    mime: 'image/png',
  }
  return { ...normaliseCard(whole, fileName), original: whole, portrait, assets }
}

function isCardKeyword(keyword: string): boolean {
  return /^(?:ccv3|chara)$/i.test(keyword) || ASSET_KEYWORD.test(keyword)
}

/**
 * A PNG that carries a card as `ccv3` (V3) and as `chara` (V2, for older programs), both before IEND.
 *
 * @param card the `data` object of V3.
 * @param png any PNG; a card that it carries is replaced.
 * @param original the object that the card came from, if it did, for what stands beside its `data`.
 * @throws HycoraError `format-invalid` when `png` is none, `usage` when the card has more than 2²⁴ bytes.
 */
export function writeCardPng(
  card: JsonRecord,
  png: Uint8Array,
  original?: JsonRecord,
): Uint8Array<ArrayBuffer> {
  const texts = [
    { keyword: 'chara', text: base64Json(cardV2(card, original)) },
    { keyword: 'ccv3', text: base64Json(cardV3(card, original)) },
  ]
  return rewritePngTexts(png, 'the portrait', { drops: isCardKeyword, texts })
}

function base64Json(whole: JsonRecord): string {
  const text = encodeBase64(new TextEncoder().encode(JSON.stringify(whole)))
  check(text.length <= MAX_CARD_BYTES, 'usage', () => {
    return `the card has ${text.length} bytes in base64, a PNG may carry ${MAX_CARD_BYTES}`
  })
  return text
}

/** A card as a V3 JSON file; parameters as in `writeCardPng`. */
export function writeCardJson(card: JsonRecord, original?: JsonRecord): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(cardV3(card, original), null, 2)}\n`)
}
