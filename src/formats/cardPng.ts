import { decodeBase64, encodeBase64 } from '../core/base64.ts'
import { asHycoraError, check, HycoraError } from '../core/errors.ts'
import type { JsonRecord } from '../core/json.ts'
import { MAX_CARD_BYTES, parseCardJson, readCardRecord } from './cardRecord.ts'
import type { CardFile } from './cardRecord.ts'
import { cardV2, cardV3 } from './cardSpec.ts'
import { withChunks } from './charx.ts'
import {
  pictureOf,
  readPngText,
  rewritePngTexts,
  scanPng,
  textKeyword,
  type PngChunk,
  type PngScan,
} from './png.ts'

const MAX_EMBEDDED_ASSETS = 256
const MAX_EMBEDDED_BYTES = 64 * 2 ** 20
const ASSET_KEYWORD = /^chara-ext-asset_:?/i
const ASSET = 'chara-ext-asset_:'

/**
 * The card of a PNG: the first text `ccv3` that can be read, else the first `chara`, which is its backfill. The picture is
 * left out where something is wrong with it.
 *
 * @throws HycoraError `format-invalid` where no card can be read, `format-unsupported` where there is none.
 */
export function readPngCard(bytes: Uint8Array, fileName: string): CardFile {
  const scan = scanPng(bytes)
  const texts = cardTexts(scan)
  if (texts.length === 0) {
    const [fault] = scan.faults
    check(!fault, 'format-invalid', () => `${fileName}: ${fault?.fact}`)
    throw new HycoraError(
      'format-unsupported',
      `${fileName} is a picture without a character card: it has neither a ccv3 nor a chara text`,
    )
  }
  const { found, warnings } = firstSound(texts, fileName)
  const { assets, warnings: lost } = embeddedIn(scan.chunks, fileName)
  const fault = pictureFault(scan)
  return {
    ...found,
    ...(fault === null && {
      portrait: { bytes: pictureOf(scan.chunks, isCardKeyword), mime: 'image/png' },
    }),
    assets,
    warnings: [
      ...warnings,
      ...found.warnings,
      ...lost,
      ...scan.faults.flatMap(({ fact, type }) =>
        type !== null && isTextType(type) ? [`It was read although ${fact}.`] : [],
      ),
      ...(fault === null ? [] : [`The picture is left out: ${fault}.`]),
    ],
  }
}

/** Whether a PNG has a text that may be a card. */
export function hasCardText(bytes: Uint8Array): boolean {
  return cardTexts(scanPng(bytes)).length > 0
}

/** The texts that may be a card, those of V3 first. */
function cardTexts({ chunks }: PngScan): readonly PngChunk[] {
  return ['ccv3', 'chara'].flatMap((wanted) =>
    chunks.filter((chunk) => textKeyword(chunk)?.toLowerCase() === wanted),
  )
}

/** The first of the texts that is a card; of those before it is told why they are none. */
function firstSound(
  texts: readonly PngChunk[],
  fileName: string,
): { readonly found: CardFile; readonly warnings: readonly string[] } {
  const faults: HycoraError[] = []
  for (const chunk of texts) {
    try {
      const found = readText(chunk, fileName)
      const keyword = textKeyword(chunk)?.toLowerCase()
      const same = texts.filter((one) => textKeyword(one)?.toLowerCase() === keyword).length
      const many = `The picture holds ${same} texts ${keyword}; one of them is the card that was read, the first that can be.`
      const warnings = faults.map(({ message }) => `${message}, and another text was read in its place.`)
      return { found, warnings: same > 1 ? [...warnings, many] : warnings }
    } catch (error) {
      faults.push(asHycoraError(error, 'format-invalid'))
    }
  }
  throw faults[0] ?? new HycoraError('format-invalid', `${fileName} holds no card`)
}

function readText(chunk: PngChunk, fileName: string): CardFile {
  const { keyword, text } = readPngText(chunk, fileName)
  const where = `${fileName}: the ${keyword} text`
  check(!text.startsWith('rcc||'), 'format-unsupported', () => {
    return `${where} is RisuAI's encrypted form, which only RisuAI reads: export the character there as a card for others`
  })
  const isPlain = /^\s*\{/.test(text)
  const json = isPlain ? Uint8Array.from(text, (letter) => letter.charCodeAt(0)) : decodeBase64(text)
  check(
    json && text.trim() !== '',
    'format-invalid',
    () => `${where} is ${text.trim() === '' ? 'empty' : 'not base64'}`,
  )
  const { whole, warnings } = parseCardJson(json, where)
  return readCardRecord(whole, fileName, warnings)
}

function isTextType(type: string): boolean {
  return ['tEXt', 'zTXt', 'iTXt'].includes(type)
}

/** Why the pixels of a picture are not used; null where they can be. */
function pictureFault({ faults }: PngScan): string | null {
  return faults.find(({ type }) => type === null || !isTextType(type))?.fact ?? null
}

function embeddedIn(
  chunks: readonly PngChunk[],
  fileName: string,
): { readonly assets: ReadonlyMap<string, Uint8Array>; readonly warnings: readonly string[] } {
  const assets = new Map<string, Uint8Array>()
  const faults: string[] = []
  let total = 0
  for (const chunk of chunks) {
    const label = textKeyword(chunk) ?? ''
    if (!ASSET_KEYWORD.test(label)) continue
    try {
      const asset = decodeBase64(readPngText(chunk, fileName).text)
      check(asset, 'format-invalid', () => `the asset ${JSON.stringify(label)} is not base64`)
      check(
        assets.size < MAX_EMBEDDED_ASSETS && total + asset.length <= MAX_EMBEDDED_BYTES,
        'format-invalid',
        () => {
          return `at most ${MAX_EMBEDDED_ASSETS} assets of ${MAX_EMBEDDED_BYTES} bytes in all are read`
        },
      )
      total += asset.length
      assets.set(label.replace(ASSET_KEYWORD, ''), asset)
    } catch (error) {
      faults.push(asHycoraError(error, 'format-invalid').message)
    }
  }
  const [first] = faults
  return { assets, warnings: first ? [`Assets that are left out: ${faults.length}; ${first}.`] : [] }
}

function isCardKeyword(keyword: string): boolean {
  return /^(?:ccv3|chara)$/i.test(keyword) || ASSET_KEYWORD.test(keyword)
}

/**
 * A PNG that carries a card as `ccv3` (V3) and as `chara` (V2, for older programs), and the files that came with it, all
 * before IEND.
 *
 * @param card the `data` object of V3.
 * @param png any PNG; a card that it carries is replaced.
 * @param original the object that the card came from, if it did, for what stands beside its `data`.
 * @param assets other files, as they were read from a PNG or a CHARX.
 * @throws HycoraError `format-invalid` when `png` is none, `usage` when the card has more than 2²⁴ bytes.
 */
export function writeCardPng(
  card: JsonRecord,
  png: Uint8Array,
  original?: JsonRecord,
  assets: ReadonlyMap<string, Uint8Array> = new Map(),
): Uint8Array<ArrayBuffer> {
  const named = withChunks(card, assets)
  const texts = [
    { keyword: 'chara', text: base64Json(cardV2(named.card, original)) },
    { keyword: 'ccv3', text: base64Json(cardV3(named.card, original)) },
    ...[...named.assets].map(([name, bytes]) => ({ keyword: ASSET + name, text: encodeBase64(bytes) })),
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
