import type { ByteSource } from '../core/bytes.ts'
import { HycoraError } from '../core/errors.ts'

/** Bytes in memory as a ByteSource; reads are views, nothing is copied. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    async read(offset, length) {
      if (offset + length > bytes.length) {
        throw new HycoraError(
          'format-invalid',
          `${name} ends at byte ${bytes.length}, expected ${offset + length}`,
        )
      }
      return bytes.subarray(offset, offset + length)
    },
  }
}
