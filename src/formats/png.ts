import { crc32 } from '../core/crc32.ts'
import { check } from '../core/errors.ts'
import { inflate } from './inflate.ts'

/** A chunk of a PNG file; `data` is a view of it. */
export interface PngChunk {
  /** Four letters. */
  readonly type: string
  readonly data: Uint8Array
}

/** What a `tEXt`, `zTXt` or `iTXt` chunk says. */
export interface PngText {
  readonly keyword: string
  readonly text: string
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const MAX_FILE_BYTES = 64 * 2 ** 20
const MAX_TEXT_BYTES = 2 ** 24
const MAX_CHUNKS = 2 ** 16
const MAX_SIDE = 8192
const MAX_PIXELS = 2 ** 24

/** Whether bytes begin as a PNG file does. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte)
}

/** Something wrong with a PNG file. */
interface PngFault {
  readonly fact: string
  /** Of the chunk that it concerns; null for the file. */
  readonly type: string | null
}

/** What can be read of a PNG file, and what is wrong with it. */
export interface PngScan {
  readonly chunks: readonly PngChunk[]
  readonly faults: readonly PngFault[]
}

/**
 * The chunks of a PNG file from IHDR to IEND as far as they can be told apart; what follows IEND is left out. Nothing is
 * inflated. A chunk that does not match its CRC is among them.
 *
 * Reference: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", §5.
 */
export function scanPng(bytes: Uint8Array): PngScan {
  const faults: PngFault[] = []
  const blame = (fact: string, type: string | null = null): void => void faults.push({ fact, type })
  const chunks: PngChunk[] = []
  if (!isPng(bytes)) blame('the file does not begin as a PNG does')
  if (bytes.length > MAX_FILE_BYTES) {
    blame(`the picture has ${bytes.length} bytes, at most ${MAX_FILE_BYTES} are read`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let at = SIGNATURE.length
  while (isPng(bytes) && chunks.at(-1)?.type !== 'IEND') {
    const fault = faultAt(view, at, chunks.length)
    if (fault !== null) {
      blame(fault)
      break
    }
    const length = view.getUint32(at)
    const type = typeAt(view, at)
    const data = bytes.subarray(at + 8, at + 8 + length)
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) {
      blame(`the chunk ${type} at byte ${at} does not match its CRC`, type)
    }
    if (chunks.length === 0) for (const fact of headerFaults(data)) blame(fact)
    chunks.push({ type, data })
    at += 12 + length
  }
  if (faults.length === 0 && !chunks.some(({ type }) => type === 'IDAT')) blame('the picture has no IDAT')
  return { chunks, faults }
}

function typeAt(view: DataView, at: number): string {
  return String.fromCharCode(...[4, 5, 6, 7].map((offset) => view.getUint8(at + offset)))
}

/** Why no chunk can be read at a byte; null where one can. */
function faultAt(view: DataView, at: number, count: number): string | null {
  if (at + 12 > view.byteLength) return `the picture ends at byte ${view.byteLength}, before its IEND`
  const [length, type] = [view.getUint32(at), typeAt(view, at)]
  if (!/^[A-Za-z]{4}$/.test(type)) return `the chunk at byte ${at} has a type that is not four letters`
  if (length > view.byteLength - at - 12) return `the chunk ${type} at byte ${at} ends after the file`
  if (count >= MAX_CHUNKS) return `the picture has more than ${MAX_CHUNKS} chunks`
  return count > 0 || type === 'IHDR' ? null : `the picture begins with ${type}, expected IHDR`
}

/**
 * The chunks of a sound PNG file, as `scanPng` finds them.
 *
 * @throws HycoraError `format-invalid` for a chunk that is cut, has a wrong CRC or stands in a wrong place, for more than
 *   64 MiB, and for a picture of more than 8,192 pixels a side or 2²⁴ in all.
 */
export function readPngChunks(bytes: Uint8Array, name: string): readonly PngChunk[] {
  const { chunks, faults } = scanPng(bytes)
  const [first] = faults
  check(!first, 'format-invalid', () => `${name}: ${first?.fact}`)
  return chunks
}

function headerFaults(data: Uint8Array): readonly string[] {
  if (data.length !== 13) return [`IHDR has ${data.length} bytes, expected 13`]
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const [width, height] = [view.getUint32(0), view.getUint32(4)]
  const isFit =
    width >= 1 && height >= 1 && Math.max(width, height) <= MAX_SIDE && width * height <= MAX_PIXELS
  return isFit
    ? []
    : [`the picture has ${width} × ${height} pixels, at most ${MAX_SIDE} a side and ${MAX_PIXELS} are read`]
}

/** The keyword of a text chunk; null for every other chunk. */
export function textKeyword({ type, data }: PngChunk): string | null {
  if (type !== 'tEXt' && type !== 'zTXt' && type !== 'iTXt') return null
  const end = data.subarray(0, 80).indexOf(0)
  return end < 1 ? null : latin1(data.subarray(0, end))
}

/**
 * The text of a text chunk, wherever it stands, inflated where it is compressed.
 *
 * @throws HycoraError `format-invalid` when it is broken, or longer than 2²⁴ bytes.
 */
export function readPngText(chunk: PngChunk, name: string): PngText {
  const keyword = textKeyword(chunk)
  check(keyword !== null, 'format-invalid', () => `${name}: the chunk ${chunk.type} has no keyword`)
  const where = `${name}: the ${chunk.type} chunk ${JSON.stringify(keyword)}`
  const rest = chunk.data.subarray(keyword.length + 1)
  const plain = (bytes: Uint8Array): Uint8Array => {
    check(bytes.length <= MAX_TEXT_BYTES, 'format-invalid', () => {
      return `${where} has ${bytes.length} bytes, at most ${MAX_TEXT_BYTES} are read`
    })
    return bytes
  }
  const unzipped = (method: number | undefined, bytes: Uint8Array): Uint8Array => {
    check(method === 0, 'format-invalid', () => `${where} is compressed by method ${method}, expected 0`)
    return inflate(bytes, 'zlib', { mostBytes: MAX_TEXT_BYTES, where })
  }
  if (chunk.type === 'tEXt') return { keyword, text: latin1(plain(rest)) }
  if (chunk.type === 'zTXt') return { keyword, text: latin1(unzipped(rest[0], rest.subarray(1))) }
  // iTXt: flag, method, language tag, translated keyword, text.
  const language = rest.indexOf(0, 2)
  const translated = rest.indexOf(0, language + 1)
  check(language >= 2 && translated > language, 'format-invalid', () => `${where} is cut`)
  const stored = rest.subarray(translated + 1)
  const text = rest[0] === 1 ? unzipped(rest[1], stored) : plain(stored)
  return { keyword, text: new TextDecoder().decode(text) }
}

/**
 * A picture without the text chunks that `drops` names, and with `texts` as `tEXt` chunks (Latin-1) just before IEND,
 * where the community's programs look for them.
 *
 * @throws HycoraError as `readPngChunks`; `format-invalid` for a text that is not Latin-1.
 */
export function rewritePngTexts(
  bytes: Uint8Array,
  name: string,
  { drops, texts }: { readonly drops: (keyword: string) => boolean; readonly texts: readonly PngText[] },
): Uint8Array<ArrayBuffer> {
  const kept = keptChunks(readPngChunks(bytes, name), drops)
  const added = texts.map(({ keyword, text }): PngChunk => {
    check(isLatin1(keyword + text), 'format-invalid', () => `the text ${keyword} for ${name} is not Latin-1`)
    const data = Uint8Array.from(`${keyword}\0${text}`, (character) => character.charCodeAt(0))
    return { type: 'tEXt', data }
  })
  return writePngChunks([...kept, ...added, { type: 'IEND', data: new Uint8Array(0) }])
}

/** A picture of the chunks of another, without the texts that `drops` names. */
export function pictureOf(
  chunks: readonly PngChunk[],
  drops: (keyword: string) => boolean,
): Uint8Array<ArrayBuffer> {
  return writePngChunks([...keptChunks(chunks, drops), { type: 'IEND', data: new Uint8Array(0) }])
}

function keptChunks(chunks: readonly PngChunk[], drops: (keyword: string) => boolean): readonly PngChunk[] {
  return chunks.filter((chunk) => {
    const keyword = textKeyword(chunk)
    return chunk.type !== 'IEND' && (keyword === null || !drops(keyword))
  })
}

function writePngChunks(chunks: readonly PngChunk[]): Uint8Array<ArrayBuffer> {
  const length = chunks.reduce((sum, { data }) => sum + 12 + data.length, SIGNATURE.length)
  const file = new Uint8Array(length)
  const view = new DataView(file.buffer)
  file.set(SIGNATURE)
  let at = SIGNATURE.length
  for (const { type, data } of chunks) {
    view.setUint32(at, data.length)
    file.set(
      Array.from(type, (letter) => letter.charCodeAt(0)),
      at + 4,
    )
    file.set(data, at + 8)
    const end = at + 8 + data.length
    view.setUint32(end, crc32(file.subarray(at + 4, end)))
    at = end + 4
  }
  return file
}

function isLatin1(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 255) return false
  return true
}

/** ISO 8859-1; `TextDecoder` would take it for Windows-1252. */
function latin1(bytes: Uint8Array): string {
  // Base64 and most keywords are ASCII, which is the same in UTF-8 and comes at once.
  if (bytes.every((byte) => byte < 0x80)) return new TextDecoder().decode(bytes)
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}
