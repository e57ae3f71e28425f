import { isGguf } from './gguf.ts'
import { isPng } from './png.ts'
import { isZip, zipPaths } from './zip.ts'

/**
 * What a file looks like: a persona pack; another safetensors file; a character card (PNG, or CHARX); a backup; an archive
 * with a PEFT folder; a GGUF file; JSON, which may be a card, a chat or a data set; or nothing that is known.
 */
export type FileKind = 'pack' | 'safetensors' | 'card' | 'backup' | 'peft' | 'gguf' | 'json' | 'unknown'

const LIMITS = { files: 65_534, inflatedBytes: 2 ** 32, totalBytes: 2 ** 40 }

/**
 * Tells files apart by their content; nothing is checked yet.
 *
 * @throws HycoraError `format-invalid` for an archive whose directory is broken.
 */
export function fileKind(bytes: Uint8Array, name: string): FileKind {
  if (isPng(bytes)) return 'card'
  if (isGguf(bytes)) return 'gguf'
  const start = new TextDecoder().decode(bytes.subarray(0, 512))
  // A safetensors header begins behind its length, of which the last bytes are zero.
  if (bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0) {
    return start.includes('"hycora-pack"') ? 'pack' : 'safetensors'
  }
  if (/^\s*[[{]/.test(start)) return 'json'
  if (!isZip(bytes)) return 'unknown'
  const paths = zipPaths(bytes, name, LIMITS)
  if (paths.includes('card.json')) return 'card'
  if (paths.some((path) => /(?:^|\/)adapter_config\.json$/.test(path))) return 'peft'
  return paths.includes('manifest.json') ? 'backup' : 'unknown'
}
