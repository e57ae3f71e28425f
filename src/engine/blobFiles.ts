import type { ByteSource, FileSet } from '../core/bytes.ts'
import { HycoraError } from '../core/errors.ts'

/** A Blob as a ByteSource; only the bytes asked for come into memory. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    sizeBytes: blob.size,
    async read(offset, length) {
      if (offset + length > blob.size) {
        throw new HycoraError(
          'format-invalid',
          `${name} ends at byte ${blob.size}, expected ${offset + length}`,
        )
      }
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
    },
  }
}

/** A folder that the page holds as Blobs. */
export function blobFiles(files: ReadonlyMap<string, Blob>): FileSet {
  return {
    open(path) {
      const blob = files.get(path)
      return Promise.resolve(blob && blobSource(path, blob))
    },
  }
}
