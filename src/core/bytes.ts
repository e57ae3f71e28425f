/**
 * Random access to the bytes of one file, wherever it lies (memory, a Blob of the page's cache, a file on disk).
 * `read` returns exactly `length` bytes or throws `format-invalid` when the file is shorter.
 */
export interface ByteSource {
  readonly name: string
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Uint8Array>
}

/** The files of one folder by relative path; undefined where there is none of that name. */
export interface FileSet {
  open(path: string): Promise<ByteSource | undefined>
}

/** Parts one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joined(parts, (length) => new Uint8Array(length))
}

/** Numbers one after the other. */
export function joinFloats(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  return joined(parts, (length) => new Float32Array(length))
}

function joined<Part extends ArrayLike<number>, Whole extends { set(part: Part, offset: number): void }>(
  parts: readonly Part[],
  create: (length: number) => Whole,
): Whole {
  const whole = create(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** The same bytes in memory that is not shared, copied only where they are. */
export function plainBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer, byteOffset, length) : bytes.slice()
}

/** SHA-256 as lower-case hexadecimal. */
export async function hexSha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', plainBytes(bytes)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
