const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The CRC-32 of PNG and zip (polynomial 0xedb88320 reflected) over parts in a row, as an unsigned integer. */
export function crc32(...parts: readonly Uint8Array[]): number {
  let value = 0xffffffff
  for (const bytes of parts) {
    for (const byte of bytes) value = (TABLE[(value ^ byte) & 255] ?? 0) ^ (value >>> 8)
  }
  return (value ^ 0xffffffff) >>> 0
}
