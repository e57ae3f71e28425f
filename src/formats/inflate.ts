import { Inflate, Unzlib } from 'fflate'

import { joinBytes } from '../core/bytes.ts'
import { HycoraError } from '../core/errors.ts'

/** One step of input yields at most 4 MiB (deflate's ratio is below 1,032), so a bomb is left before it fills memory. */
const STEP_BYTES = 4096

/**
 * Inflates a deflate or zlib stream of at most `mostBytes`.
 *
 * @param where what the data is, for the message.
 * @throws HycoraError `format-invalid` when it is broken, ends too early, or holds more.
 */
export function inflate(
  data: Uint8Array,
  kind: 'deflate' | 'zlib',
  { mostBytes, where }: { readonly mostBytes: number; readonly where: string },
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  let length = 0
  const take = (part: Uint8Array): void => {
    length += part.length
    if (length > mostBytes) {
      throw new HycoraError('format-invalid', `${where} inflates to more than the ${mostBytes} bytes allowed`)
    }
    parts.push(part)
  }
  try {
    const stream = kind === 'zlib' ? new Unzlib(take) : new Inflate(take)
    for (let at = 0; at === 0 || at < data.length; at += STEP_BYTES) {
      stream.push(data.subarray(at, at + STEP_BYTES), at + STEP_BYTES >= data.length)
    }
  } catch (error) {
    if (error instanceof HycoraError) throw error
    throw new HycoraError('format-invalid', `${where} is not a sound ${kind} stream`, { cause: error })
  }
  return joinBytes(parts)
}
