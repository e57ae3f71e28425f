import { isJsonRecord, ownField } from '../core/json.ts'
import { isGguf } from '../formats/gguf.ts'
import { isPng } from '../formats/png.ts'
import { isZip, zipPaths } from '../formats/zip.ts'

/**
 * What a file is: a persona pack; another safetensors file; a character card (PNG, JSON or CHARX); a PEFT folder in an
 * archive; a backup of this page; a GGUF file; a chat; lines to learn from; or nothing that is known.
 */
export type FileKind =
  | 'pack'
  | 'safetensors'
  | 'card'
  | 'peft'
  | 'backup'
  | 'gguf'
  | 'chat'
  | 'lines'
  | 'unknown'

/** The directory of an archive is read whatever it holds: what it is must be told before it is refused. */
const DIRECTORY_LIMITS = { files: 65_534, inflatedBytes: 2 ** 32, totalBytes: 2 ** 40 }

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
  return isZip(bytes) ? archiveKind(zipPaths(bytes, name, DIRECTORY_LIMITS)) : textKind(bytes)
}

/** A card may carry anything beside it, and an adapter's folder a manifest: what says most comes first. */
function archiveKind(paths: readonly string[]): FileKind {
  if (paths.includes('card.json')) return 'card'
  if (paths.some((path) => /(?:^|\/)adapter_config\.json$/.test(path))) return 'peft'
  return paths.includes('manifest.json') ? 'backup' : 'unknown'
}

function textKind(bytes: Uint8Array): FileKind {
  if (bytes.length === 0 || bytes.subarray(0, 4096).includes(0)) return 'unknown'
  const text = new TextDecoder().decode(bytes)
  const whole = parsed(text)
  if (isJsonRecord(whole)) return isCardJson(whole) ? 'card' : 'lines'
  const first = parsed(text.slice(0, text.search(/\r?\n|$/)))
  return isJsonRecord(first) && isChatHeader(first) ? 'chat' : 'lines'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isChatHeader(record: Readonly<Record<string, unknown>>): boolean {
  return ['chat_metadata', 'user_name', 'character_name', 'mes'].some((key) => Object.hasOwn(record, key))
}

function isCardJson(value: Readonly<Record<string, unknown>>): boolean {
  const spec = ownField(value, 'spec')
  const data = ownField(value, 'data')
  const fields = isJsonRecord(data) ? data : value
  const texts = ['description', 'personality', 'first_mes', 'mes_example', 'scenario']
  const isNamed = typeof ownField(fields, 'name') === 'string'
  return (
    (typeof spec === 'string' && spec.startsWith('chara_card')) ||
    (isNamed && texts.some((key) => Object.hasOwn(fields, key)))
  )
}
