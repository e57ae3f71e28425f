const textEncoder = new TextEncoder()

/**
 * Writes one message of the protobuf wire format; the counterpart of `WireReader`.
 *
 * Reference: "Encoding", protobuf.dev.
 */
export class WireWriter {
  private bytes = new Uint8Array(256)
  private length = 0

  /** The message so far. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }

  /** An integer of up to ±2⁵³, as int64 stores it. */
  integer(field: number, value: number): void {
    this.varint(field * 8)
    this.varint(value)
  }

  float32(field: number, value: number): void {
    this.varint(field * 8 + 5)
    const at = this.grow(4)
    new DataView(this.bytes.buffer).setFloat32(at, value, true)
  }

  raw(field: number, value: Uint8Array): void {
    this.varint(field * 8 + 2)
    this.varint(value.byteLength)
    const at = this.grow(value.byteLength)
    this.bytes.set(value, at)
  }

  text(field: number, value: string): void {
    this.raw(field, textEncoder.encode(value))
  }

  /** A nested message, written by `fill`. */
  message(field: number, fill: (writer: WireWriter) => void): void {
    const nested = new WireWriter()
    fill(nested)
    this.raw(field, nested.bytes.subarray(0, nested.length))
  }

  private varint(value: number): void {
    if (value < 0) {
      // Two's complement of 64 bits: always ten bytes.
      let rest = BigInt.asUintN(64, BigInt(value))
      for (; rest > 127n; rest >>= 7n) this.byte(Number(rest & 127n) | 128)
      this.byte(Number(rest))
      return
    }
    let rest = value
    for (; rest > 127; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 128)
    this.byte(rest)
  }

  private byte(value: number): void {
    const at = this.grow(1)
    this.bytes[at] = value
  }

  /** Makes room for `count` more bytes and returns where they start. */
  private grow(count: number): number {
    const start = this.length
    this.length += count
    if (this.length > this.bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.byteLength))
      larger.set(this.bytes.subarray(0, start))
      this.bytes = larger
    }
    return start
  }
}
