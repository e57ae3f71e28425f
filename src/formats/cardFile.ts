import { check } from '../core/errors.ts'
import type { JsonRecord } from '../core/json.ts'
import { readArchiveCard } from './cardArchive.ts'
import { hasCardText, readPngCard } from './cardPng.ts'
import { parseCardJson, readCardRecord } from './cardRecord.ts'
import type { CardFile } from './cardRecord.ts'
import { cardV3 } from './cardSpec.ts'
import { pictureKind, pictureMime, userComment } from './exif.ts'
import { isPng } from './png.ts'
import { isZip } from './zip.ts'

/**
 * Reads a character card from PNG, JSON or CHARX, or another program's character, told apart by content; nothing of it is
 * run or fetched. What is wrong with a part of it costs that part and is told in `warnings`.
 *
 * @throws HycoraError `format-invalid` when it is none of them or broken, `format-unsupported` for a picture without a card,
 *   and for what only another program can read.
 */
export function readCardFile(bytes: Uint8Array, fileName: string): CardFile {
  if (isPng(bytes) && (hasCardText(bytes) || !isZip(bytes))) return readPngCard(bytes, fileName)
  if (isZip(bytes)) return readArchiveCard(bytes, fileName, readCardFile)
  const kind = pictureKind(bytes)
  if (kind !== null) return readPictureCard(bytes, kind, fileName)
  check(/^[^\w"'<]{0,3}\s*(?:\[\s*)?\{/.test(firstText(bytes)), 'format-invalid', () => {
    return `${fileName} is no character card: expected PNG, JSON or CHARX`
  })
  const { whole, warnings } = parseCardJson(bytes, fileName)
  return readCardRecord(whole, fileName, warnings)
}

/** The beginning of a file as text, without zeros, which UTF-16 has. */
function firstText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 256)).replaceAll('\0', '')
}

/** A picture of another kind, which may have a card in its comment. */
function readPictureCard(bytes: Uint8Array, kind: string, fileName: string): CardFile {
  const comment = userComment(bytes)
  check(comment !== null && /^\s*\{/.test(comment), 'format-unsupported', () => {
    return `${fileName} is ${/^[A]/.test(kind) ? 'an' : 'a'} ${kind} picture without a character card, which travels in the original PNG: whoever converts it loses the card`
  })
  const { whole, warnings } = parseCardJson(new TextEncoder().encode(comment), `${fileName}: its comment`)
  const found = readCardRecord(whole, fileName, warnings)
  return { ...found, portrait: { bytes, mime: pictureMime(kind) } }
}

/** A card as a V3 JSON file; parameters as in `writeCardPng`. */
export function writeCardJson(card: JsonRecord, original?: JsonRecord): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(cardV3(card, original), null, 2)}\n`)
}
