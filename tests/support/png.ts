import { deflateSync } from 'node:zlib'

/** Bytes of a chunk with its CRC, computed bit by bit: shares no code with the reader. */
export function chunk(type: string, data: Uint8Array | string): Uint8Array {
  const body = Buffer.concat([
    Buffer.from(type, 'latin1'),
    typeof data === 'string' ? Buffer.from(data, 'latin1') : data,
  ])
  let sum = 0xffffffff
  for (const byte of body) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1
  }
  const file = Buffer.alloc(body.length + 8)
  file.writeUInt32BE(body.length - 4, 0)
  body.copy(file, 4)
  file.writeUInt32BE((sum ^ 0xffffffff) >>> 0, body.length + 4)
  return file
}

/** A grey picture, with chunks before and after its pixels. */
export function picture({
  width = 2,
  height = 2,
  before = [],
  after = [],
}: {
  readonly width?: number
  readonly height?: number
  readonly before?: readonly Uint8Array[]
  readonly after?: readonly Uint8Array[]
} = {}): Uint8Array {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 0, 0, 0, 0], 8)
  const rows = Buffer.alloc(Math.min(height, 16) * (Math.min(width, 16) + 1))
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
  const chunks = [
    chunk('IHDR', header),
    ...before,
    chunk('IDAT', deflateSync(rows)),
    ...after,
    chunk('IEND', ''),
  ]
  return Buffer.concat([signature, ...chunks])
}
