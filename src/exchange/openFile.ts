import { check, HycoraError } from '../core/errors.ts'
import { readBackup } from '../formats/backup.ts'
import type { Backup } from '../formats/backup.ts'
import { readCardFile } from '../formats/cardFile.ts'
import type { CardFile } from '../formats/cardFile.ts'
import { memorySource } from '../formats/memorySource.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import { findPeftFolder } from '../formats/peft.ts'
import { readZip } from '../formats/zip.ts'
import { fileKind } from './fileKind.ts'
import { LIMITS } from './limits.ts'

/** A file, or the files of a PEFT folder, opened and checked; nothing of it is used yet. */
export type Opened =
  | { readonly kind: 'pack'; readonly pack: Pack }
  | { readonly kind: 'card'; readonly card: CardFile }
  | { readonly kind: 'peft'; readonly files: ReadonlyMap<string, Uint8Array> }
  | { readonly kind: 'backup'; readonly backup: Backup }
  | { readonly kind: 'chat' | 'lines' }
  /** A checkpoint of the authors' trainer, or weights of anything else. */
  | { readonly kind: 'safetensors' | 'gguf' | 'unknown' }

/**
 * Opens whatever came in, told apart by content.
 *
 * @throws HycoraError `format-invalid`, `format-unsupported` naming the file and what is wrong with it.
 */
export async function openFile(bytes: Uint8Array, name: string): Promise<Opened> {
  check(bytes.length > 0, 'format-invalid', () => `${name} is empty`)
  const kind = fileKind(bytes, name)
  switch (kind) {
    case 'pack':
      return { kind, pack: await readPack(memorySource(name, bytes)) }
    case 'card':
      return { kind, card: readCardFile(bytes, name) }
    case 'peft':
      return { kind, files: findPeftFolder(readZip(bytes, name, LIMITS.archive)) ?? new Map() }
    case 'backup':
      return { kind, backup: await readBackup(bytes, name) }
    case 'chat':
    case 'lines':
    case 'safetensors':
    case 'gguf':
    case 'unknown':
      return { kind }
  }
}

/** What is told of a file that is of no use here. @throws HycoraError always, `format-unsupported`. */
export function refuse(kind: 'safetensors' | 'gguf' | 'unknown', name: string): never {
  const reasons = {
    safetensors: `${name} is a safetensors file, but no persona pack: it lacks the format "hycora-pack"`,
    gguf: `${name} is a GGUF file, which can be written here, but not read: take the pack or the PEFT folder`,
    unknown: `${name} is neither a pack nor a card, a chat, lines or a PEFT folder`,
  }
  throw new HycoraError('format-unsupported', reasons[kind])
}
