import { open, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

import type { ByteSource, FileSet } from '../core/bytes.ts'
import { HycoraError } from '../core/errors.ts'

/** A file on disk as a ByteSource; each read opens nothing anew and copies only what is asked for. */
export async function openFile(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
  return {
    name: basename(path),
    sizeBytes: size,
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
        if (bytesRead === 0) {
          throw new HycoraError(
            'format-invalid',
            `${basename(path)} ends at byte ${offset + done}, expected ${offset + length}`,
          )
        }
        done += bytesRead
      }
      return bytes
    },
  }
}

/** The files of a folder on disk. */
export function folder(root: string): FileSet {
  return {
    async open(path) {
      const full = resolve(root, path)
      const found = await stat(full).catch(() => undefined)
      return found?.isFile() ? openFile(full) : undefined
    },
  }
}
