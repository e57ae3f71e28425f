import { decodeBase64 } from '../core/base64.ts'

/*
 * What pictures that are no PNG say of themselves: their kind, and the comment in which some programs keep a card.
 *
 * Reference: CIPA DC-008, "Exif", 2.32, §4.6; Google, "WebP Container Specification".
 */

const LATIN1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** What a picture that is no PNG is called; null for what is no picture. */
export function pictureKind(bytes: Uint8Array): string | null {
  const start = LATIN1(bytes.subarray(0, 32))
  if (start.startsWith('\xff\xd8\xff')) return 'JPEG'
  if (/^RIFF[^]{4}WEBP/.test(start)) return 'WebP'
  if (/^GIF8[79]a/.test(start)) return 'GIF'
  if (/^[^]{4}ftyp(?:avif|avis)/.test(start)) return 'AVIF'
  if (/^[^]{4}ftyp(?:heic|heix|mif1|msf1)/.test(start)) return 'HEIC'
  if (start.startsWith('BM') && bytes.length > 26 && start.startsWith('\0\0\0\0', 6)) return 'BMP'
  if (/^(?:II\*\0|MM\0\*)/.test(start)) return 'TIFF'
  return /^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<svg[\s>]/.test(start) ? 'SVG' : null
}

/** The kind of a picture as the web names it. */
export function pictureMime(kind: string): string {
  return kind === 'SVG' ? 'image/svg+xml' : `image/${kind.toLowerCase()}`
}

/** The user comment of a JPEG or WebP picture, as JSON where it is base64 or a list of bytes; null without one. */
export function userComment(bytes: Uint8Array): string | null {
  const exif = exifOf(bytes)
  const comment = exif && commentIn(exif)
  const text = comment?.trim() ?? ''
  if (text === '') return null
  if (/^\d{1,3}(?:,\s*\d{1,3})+$/.test(text)) {
    return new TextDecoder().decode(Uint8Array.from(text.split(','), Number))
  }
  const decoded = text.startsWith('{') ? null : decodeBase64(text)
  return decoded ? new TextDecoder().decode(decoded) : text
}

/** The TIFF block of a picture, from its byte order on. */
function exifOf(bytes: Uint8Array): Uint8Array | null {
  const block = pictureKind(bytes) === 'WebP' ? exifOfWebp(bytes) : exifOfJpeg(bytes)
  if (!block) return null
  return LATIN1(block.subarray(0, 6)) === 'Exif\0\0' ? block.subarray(6) : block
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function exifOfWebp(bytes: Uint8Array): Uint8Array | null {
  const view = viewOf(bytes)
  for (let at = 12; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true)
    if (LATIN1(bytes.subarray(at, at + 4)) === 'EXIF') return bytes.subarray(at + 8, at + 8 + length)
    at += 8 + length + (length & 1)
  }
  return null
}

function exifOfJpeg(bytes: Uint8Array): Uint8Array | null {
  const view = viewOf(bytes)
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const [marker, length] = [bytes[at + 1] ?? 0, view.getUint16(at + 2)]
    const data = bytes.subarray(at + 4, at + 2 + length)
    if (marker === 0xe1 && LATIN1(data.subarray(0, 4)) === 'Exif') return data
    // From the start of the scan on there are pixels.
    if (marker === 0xda || length < 2) return null
    at += 2 + length
  }
  return null
}

const [EXIF_POINTER, USER_COMMENT] = [0x8769, 0x9286]

function commentIn(tiff: Uint8Array): string | null {
  if (tiff.length < 8) return null
  const isLittle = tiff[0] === 0x49
  const view = viewOf(tiff)
  const first = view.getUint32(4, isLittle)
  const pointer = valueAt(view, first, EXIF_POINTER, isLittle)
  const found = pointer && valueAt(view, pointer.offset, USER_COMMENT, isLittle)
  if (!found) return null
  const data = tiff.subarray(found.offset, found.offset + found.count)
  const code = LATIN1(data.subarray(0, 8)).replaceAll('\0', '')
  if (!['', 'ASCII', 'UNICODE', 'JIS'].includes(code)) return new TextDecoder().decode(data)
  const text = data.subarray(8)
  return new TextDecoder(code === 'UNICODE' ? (isLittle ? 'utf-16le' : 'utf-16be') : 'utf-8')
    .decode(text)
    .replaceAll('\0', '')
}

/** Where a tag's value lies, in one directory of a TIFF block. */
function valueAt(
  view: DataView,
  directory: number,
  wanted: number,
  isLittle: boolean,
): { readonly offset: number; readonly count: number } | null {
  if (directory + 2 > view.byteLength) return null
  const entries = view.getUint16(directory, isLittle)
  for (let index = 0; index < entries; index++) {
    const at = directory + 2 + 12 * index
    if (at + 12 > view.byteLength) return null
    if (view.getUint16(at, isLittle) === wanted) {
      return { count: view.getUint32(at + 4, isLittle), offset: view.getUint32(at + 8, isLittle) }
    }
  }
  return null
}
