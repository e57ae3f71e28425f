import { openAsBlob } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

import type { ByteSource, FileSet } from '../core/bytes.ts'
import { HycoraError } from '../core/errors.ts'

/** Where something that ships lies, by its path from the repository's root; the built command line is four folders below. */
export function shippedPath(...path: readonly string[]): string {
  return resolve(import.meta.dirname, '../../../..', ...path)
}

/** A file on disk as a ByteSource; only the bytes asked for come into memory. */
export async function fileSource(path: string): Promise<ByteSource> {
  const name = basename(path)
  const { size } = await stat(path)
  return {
    name,
    sizeBytes: size,
    async read(offset, length) {
      if (offset + length > size) {
        throw new HycoraError('format-invalid', `${name} ends at byte ${size}, expected ${offset + length}`)
      }
      const bytes = new Uint8Array(length)
      const handle = await open(path, 'r')
      try {
        for (let done = 0; done < length;) {
          const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
          if (bytesRead === 0)
            throw new HycoraError('format-invalid', `${name} became shorter while it was read`)
          done += bytesRead
        }
      } finally {
        await handle.close()
      }
      return bytes
    },
  }
}

/** A file on disk as a Blob; undefined where there is none. */
export async function fileBlob(path: string): Promise<Blob | undefined> {
  try {
    return await openAsBlob(path)
  } catch {
    return undefined
  }
}

/** The files of a folder on disk. */
export function folder(root: string): FileSet {
  return {
    async open(path) {
      const full = resolve(root, path)
      const found = await stat(full).catch(() => undefined)
      return found?.isFile() ? fileSource(full) : undefined
    },
  }
}
