import type { ByteSource } from '../core/bytes.ts'
import { check } from '../core/errors.ts'

/** A Blob as a ByteSource; only the bytes asked for come into memory. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    sizeBytes: blob.size,
    async read(offset, length) {
      check(
        offset + length <= blob.size,
        'format-invalid',
        () => `${name} ends at byte ${blob.size}, expected ${offset + length}`,
      )
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
    },
  }
}
