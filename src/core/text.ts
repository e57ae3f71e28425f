import { joinBytes } from './bytes.ts'
import { HycoraError } from './errors.ts'

/** What a stranger's text file says, and what its reader should be told of how it was read. */
export interface DecodedText {
  /** Without a byte order mark. */
  readonly text: string
  readonly warning: string | null
}

/** How files begin that are no text, whatever of it they hold. */
const BINARY: readonly (readonly [start: string, kind: string])[] = [
  ['PAR1', 'a Parquet file'],
  ['ARROW1', 'an Arrow file'],
  ['FEA1', 'a Feather file'],
  ['ORC\u0001', 'an ORC file'],
  ['ORC\n', 'an ORC file'],
  ['Obj\u0001', 'an Avro file'],
  ['PK\u0003\u0004', 'a zip archive, as tables and documents of office programs are'],
  ['\u00d0\u00cf\u0011\u00e0', 'a document of an office program'],
  ['\u001f\u008b', 'a gzip archive'],
  ['BZh', 'a bzip2 archive'],
  ['\u00fd7zXZ', 'an xz archive'],
  ['7z\u00bc\u00af', 'a 7z archive'],
  ['(\u00b5/\u00fd', 'a zstd archive'],
  ['Rar!', 'a rar archive'],
  ['SQLite format 3', 'an SQLite database'],
  ['%PDF-', 'a PDF file'],
  ['{\\rtf', 'an RTF document'],
  ['\u0089HDF', 'an HDF5 file'],
  ['\u0093NUMPY', 'a NumPy array'],
  ['GGUF', 'a GGUF file'],
  ['\u0089PNG', 'a picture'],
  ['\u00ff\u00d8\u00ff', 'a picture'],
  ['GIF8', 'a picture'],
  ['RIFF', 'a picture or a sound'],
]

/** Bytes that are looked at to tell what they are. */
const LOOKED_AT = 2 ** 16
/** A larger share of control characters is no text's. */
const CONTROLS = 0.005
/** In a text that is almost UTF-8, so many sound characters for each broken one. */
const SOUND = 4

/** What Windows-1252 has from 0x80 to 0x9f, where Node's decoder has control characters. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/**
 * Reads a text file: UTF-8, what a byte order mark names, UTF-16 without one, else Windows-1252, which is told of.
 *
 * @throws HycoraError `format-unsupported` for a file that is binary, naming its kind where that is known.
 */
export function decodeText(bytes: Uint8Array, name: string): DecodedText {
  const start = String.fromCharCode(...bytes.subarray(0, 16))
  const known = BINARY.find(([mark]) => start.startsWith(mark))
  if (known) refuse(name, known[1])
  if (/^(?:\u00ff\u00fe\0\0|\0\0\u00fe\u00ff)/.test(start)) refuse(name, 'text in UTF-32')
  if (start.startsWith('\u00ff\u00fe')) return decoded(bytes, 'utf-16le')
  if (start.startsWith('\u00fe\u00ff')) return decoded(bytes, 'utf-16be')
  const head = bytes.subarray(0, LOOKED_AT)
  const wide = wideEncoding(head)
  if (wide) {
    return { ...decoded(bytes, wide), warning: `${name} has no byte order mark and was read as UTF-16` }
  }
  const controls = head.reduce((sum, byte) => sum + Number(isControl(byte)), 0)
  if (head.includes(0) || controls > 2 + CONTROLS * head.length) refuse(name, 'no text')
  return decodeNarrow(bytes, name)
}

/** Zeros that a disk has filled a text file up with, where what it should hold was never written. */
const LEAST_FILLING = 8

/** A file without runs of zeros, which stand in no text of any encoding; behind a crash its other lines are still good. */
export function withoutFilling(bytes: Uint8Array): Uint8Array {
  const kept: Uint8Array[] = []
  let from = 0
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at)) {
    let end = at
    while (end < bytes.length && bytes[end] === 0) end++
    if (end - at >= LEAST_FILLING) {
      kept.push(bytes.subarray(from, at))
      from = end
    }
    at = end
  }
  return kept.length === 0 ? bytes : joinBytes([...kept, bytes.subarray(from)])
}

function refuse(name: string, kind: string): never {
  const advice = kind === 'no text' ? 'it is binary' : 'it is not read'
  throw new HycoraError(
    'format-unsupported',
    `${name} is ${kind}: ${advice}; save it as text in UTF-8, such as JSONL or CSV`,
  )
}

function decoded(bytes: Uint8Array, encoding: string): DecodedText {
  return { text: new TextDecoder(encoding).decode(bytes), warning: null }
}

/** Control characters that no text has; tabs, line and page feeds and the escapes of terminals are some that it may. */
function isControl(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127
}

/** UTF-16 shows by the zeros of its Latin letters, all in the same half of each pair. */
function wideEncoding(head: Uint8Array): string | null {
  const zeros = [0, 0]
  head.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1
  })
  const [even = 0, odd = 0] = zeros
  const many = head.length / 5
  if (odd > many && even === 0) return 'utf-16le'
  return even > many && odd === 0 ? 'utf-16be' : null
}

function decodeNarrow(bytes: Uint8Array, name: string): DecodedText {
  const { text } = decoded(bytes, 'utf-8')
  // Most texts have no broken character, and a file may hold a replacement character of its own.
  const broken = text.includes('\uFFFD') ? countBroken(bytes) : 0
  if (broken === 0) return { text, warning: null }
  const sound = (text.match(/[^\p{ASCII}\uFFFD]/gu) ?? []).length
  if (sound >= SOUND * broken) {
    return { text, warning: `${name} has ${broken} characters that are no UTF-8; they stand as \uFFFD` }
  }
  const warning = `${name} is not UTF-8 and was read as Windows-1252; where letters look wrong, save it as UTF-8`
  const latin = decoded(bytes, 'windows-1252').text
  return {
    text: latin.replaceAll(/[\u0080-\u009f]/g, (letter) => WINDOWS.charAt(letter.charCodeAt(0) - 0x80)),
    warning,
  }
}

/** How many characters are no UTF-8, beside those that are U+FFFD in the file itself. */
function countBroken(bytes: Uint8Array): number {
  const shown = (decoded(bytes, 'utf-8').text.match(/\uFFFD/g) ?? []).length
  let own = 0
  for (let at = bytes.indexOf(0xef); at >= 0; at = bytes.indexOf(0xef, at + 1)) {
    if (bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd) own++
  }
  return shown - own
}
