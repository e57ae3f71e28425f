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

/**
 * The chunks of a PNG file from IHDR to IEND; what follows IEND is left out. Nothing is inflated.
 *
 * Reference: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", §5.
 *
 * @throws HycoraError `format-invalid` for a chunk that is cut, has a wrong CRC or stands in a wrong place, for more than
 *   64 MiB, and for a picture of more than 8,192 pixels a side or 2²⁴ in all.
 */
export function readPngChunks(bytes: Uint8Array, name: string): readonly PngChunk[] {
  const demand: (condition: unknown, fact: () => string) => asserts condition = (condition, fact) =>
    check(condition, 'format-invalid', () => `${name}: ${fact()}`)
  demand(isPng(bytes), () => 'the file does not begin as a PNG does')
  demand(bytes.length <= MAX_FILE_BYTES, () => {
    return `the picture has ${bytes.length} bytes, at most ${MAX_FILE_BYTES} are read`
  })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const chunks: PngChunk[] = []
  for (let at = SIGNATURE.length; chunks.at(-1)?.type !== 'IEND';) {
    demand(at + 12 <= bytes.length, () => `the picture ends at byte ${bytes.length}, before its IEND`)
    const length = view.getUint32(at)
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8))
    demand(/^[A-Za-z]{4}$/.test(type), () => `the chunk at byte ${at} has a type that is not four letters`)
    demand(length <= bytes.length - at - 12, () => `the chunk ${type} at byte ${at} ends after the file`)
    demand(chunks.length < MAX_CHUNKS, () => `the picture has more than ${MAX_CHUNKS} chunks`)
    demand(chunks.length > 0 || type === 'IHDR', () => `the picture begins with ${type}, expected IHDR`)
    const data = bytes.subarray(at + 8, at + 8 + length)
    const sum = view.getUint32(at + 8 + length)
    demand(crc32(bytes.subarray(at + 4, at + 8 + length)) === sum, () => {
      return `the chunk ${type} at byte ${at} does not match its CRC`
    })
    if (chunks.length === 0) checkHeader(data, name)
    chunks.push({ type, data })
    at += 12 + length
  }
  demand(
    chunks.some(({ type }) => type === 'IDAT'),
    () => 'the picture has no IDAT',
  )
  return chunks
}

function checkHeader(data: Uint8Array, name: string): void {
  check(data.length === 13, 'format-invalid', () => `${name}: IHDR has ${data.length} bytes, expected 13`)
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const [width, height] = [view.getUint32(0), view.getUint32(4)]
  check(
    width >= 1 && height >= 1 && Math.max(width, height) <= MAX_SIDE && width * height <= MAX_PIXELS,
    'format-invalid',
    () => {
      return `${name}: the picture has ${width} × ${height} pixels, at most ${MAX_SIDE} a side and ${MAX_PIXELS} are read`
    },
  )
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
  const kept = readPngChunks(bytes, name).filter((chunk) => {
    const keyword = textKeyword(chunk)
    return chunk.type !== 'IEND' && (keyword === null || !drops(keyword))
  })
  const added = texts.map(({ keyword, text }): PngChunk => {
    check(isLatin1(keyword + text), 'format-invalid', () => `the text ${keyword} for ${name} is not Latin-1`)
    const data = Uint8Array.from(`${keyword}\0${text}`, (character) => character.charCodeAt(0))
    return { type: 'tEXt', data }
  })
  return writePngChunks([...kept, ...added, { type: 'IEND', data: new Uint8Array(0) }])
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
