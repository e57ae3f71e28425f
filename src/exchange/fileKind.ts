import { isJsonRecord } from '../core/json.ts'
import { decodeText, withoutFilling } from '../core/text.ts'
import { isBackyardArchive } from '../formats/cardArchive.ts'
import { cardIn, isFlatCard } from '../formats/cardRecord.ts'
import { isChatJson, isChatText } from '../formats/chatFile.ts'
import { cardPathOf } from '../formats/charx.ts'
import { pictureKind } from '../formats/exif.ts'
import { isGguf } from '../formats/gguf.ts'
import { readGroupFile } from '../formats/groupFile.ts'
import { loreIn } from '../formats/lore/loreFile.ts'
import { otherKind, otherYaml } from '../formats/otherFiles.ts'
import { otherBeginning } from '../formats/otherWeights.ts'
import { isAdapterPath } from '../formats/peft.ts'
import { isPng } from '../formats/png.ts'
import { isZip, zipPaths } from '../formats/zip.ts'
import { LIMITS } from './limits.ts'

/**
 * What a file is: a persona pack; another safetensors file; a character card (in a picture, JSON, CHARX or another archive) or
 * another program's character, also as YAML; a PEFT folder in an archive; a backup of this page; a GGUF file; a chat; lines
 * to learn from; a lorebook; a group of SillyTavern; something else that has a name; or nothing that is known.
 */
export type FileKind =
  | 'pack'
  | 'safetensors'
  | 'card'
  | 'yaml'
  | 'peft'
  | 'backup'
  | 'gguf'
  | 'chat'
  | 'lines'
  | 'lore'
  | 'group'
  | 'other'
  | 'unknown'

/** Bytes from which `kindByStart` tells: the longest header of safetensors, behind its length. */
export const START_BYTES = 8 + 8 * 2 ** 20

/** What the first bytes of a file tell; null where it takes the rest. */
export function kindByStart(start: Uint8Array): 'card' | 'gguf' | 'pack' | 'safetensors' | null {
  if (isPng(start)) return 'card'
  if (isGguf(start)) return 'gguf'
  // A header of safetensors is an object behind its length in eight bytes, of which no header needs more than four.
  const isSafetensors = start[8] === 0x7b && start.subarray(4, 8).every((byte) => byte === 0)
  if (!isSafetensors) return null
  const length = new DataView(start.buffer, start.byteOffset, 8).getUint32(0, true)
  // Whoever wrote the file anew may have put the format behind everything else.
  const text = new TextDecoder().decode(start.subarray(8, Math.min(8 + length, START_BYTES)))
  return text.includes('"hycora-pack"') ? 'pack' : 'safetensors'
}

/**
 * Tells files apart by their content; nothing is checked yet.
 *
 * @throws HycoraError `format-invalid` for an archive whose directory is broken.
 */
export function fileKind(bytes: Uint8Array, name: string): FileKind {
  const early = kindByStart(bytes)
  if (early) return early
  if (otherBeginning(bytes) !== null) return 'other'
  if (isZip(bytes)) return archiveKind(zipPaths(bytes, name, LIMITS.directory))
  return pictureKind(bytes) === null ? textKind(bytes, name) : 'card'
}

/** A card may carry anything beside it, and an adapter's folder a manifest: what says most comes first. */
function archiveKind(paths: readonly string[]): FileKind {
  if (cardPathOf(paths) !== null || isBackyardArchive(paths)) return 'card'
  if (paths.some(isAdapterPath)) return 'peft'
  // Of any other archive it is seen whether one of its files is a card.
  return paths.includes('manifest.json') ? 'backup' : 'card'
}

/** The text of a file; null for a binary one. */
export function textOf(bytes: Uint8Array, name: string): string | null {
  try {
    const { text } = decodeText(withoutFilling(bytes), name)
    return text.trim() === '' ? null : text
  } catch {
    return null
  }
}

function textKind(bytes: Uint8Array, name: string): FileKind {
  const text = textOf(bytes, name)
  if (text === null) return 'unknown'
  const whole = parsed(text)
  if (cardIn(whole)) return 'card'
  if (isChatJson(whole)) return 'chat'
  if (isJsonRecord(whole) && isFlatCard(whole)) return 'card'
  if (loreIn(whole)) return 'lore'
  if (readGroupFile(whole)) return 'group'
  if (otherKind(whole) !== null) return 'other'
  if (isChatText(text)) return 'chat'
  // A card that is no sound JSON is still one, and is told so.
  if (whole === undefined && /^\s*\{[^]{0,512}"spec"\s*:\s*"chara_card/.test(text)) return 'card'
  if (otherYaml(text) !== null) return 'other'
  return isCharacterYaml(text) ? 'yaml' : 'lines'
}

/** What a file of the kind `other` is, with an article. */
export function otherFile(bytes: Uint8Array, name: string): string {
  const begun = otherBeginning(bytes)
  if (begun !== null) return begun
  const text = textOf(bytes, name) ?? ''
  return otherKind(parsed(text)) ?? otherYaml(text) ?? 'of a kind that is not known'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a text begins as somebody's description does in YAML. */
function isCharacterYaml(text: string): boolean {
  const start = text.slice(0, 2 ** 16)
  const isNamed = /^(?:name|char_name|spec)\s*:\s*\S/m.test(start)
  return (
    isNamed &&
    /^(?:context|greeting|persona|description|first_mes|char_persona|char_greeting|data)\s*:/m.test(start)
  )
}
