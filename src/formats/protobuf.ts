import { HycoraError } from '../core/errors.ts'

/** How a field's value is laid out: a varint, eight bytes, a length and that many bytes, or four bytes. */
export type WireType = 0 | 1 | 2 | 5

const MAXIMUM_DEPTH = 16
const MAXIMUM_VARINT_BYTES = 10
const textDecoder = new TextDecoder('utf-8', { fatal: true })

interface WireFile {
  readonly name: string
  readonly bytes: Uint8Array
  readonly view: DataView
}

/**
 * A cursor over one message of the protobuf wire format; nested messages are readers on the same bytes.
 * Lengths are checked against the parent before anything is read, and nothing is copied, so hostile bytes cost no
 * more than their own size.
 *
 * Reference: "Encoding", protobuf.dev.
 */
export class WireReader {
  /** The wire type of the field that `next` returned last. */
  wire: WireType = 0
  private readonly file: WireFile
  private readonly end: number
  private readonly depth: number
  private position: number

  private constructor(file: WireFile, start: number, end: number, depth: number) {
    this.file = file
    this.position = start
    this.end = end
    this.depth = depth
  }

  /** A reader of the whole of `bytes`; `fileName` is for messages. */
  static open(bytes: Uint8Array, fileName: string): WireReader {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new WireReader({ name: fileName, bytes, view }, 0, bytes.byteLength, 1)
  }

  /** Whether the message has no more fields. */
  get atEnd(): boolean {
    return this.position === this.end
  }

  /**
   * Reads the next field's tag and returns its number; 0 at the message's end.
   *
   * @throws HycoraError `format-invalid` for field number 0, groups and unknown wire types.
   */
  next(): number {
    if (this.atEnd) return 0
    const start = this.position
    const tag = this.varint()
    const wire = tag % 8
    const field = Math.floor(tag / 8)
    if (!(field >= 1 && field < 2 ** 29))
      this.fail(`has field number ${field}, expected 1 to 536870911`, start)
    if (wire !== 0 && wire !== 1 && wire !== 2 && wire !== 5) {
      this.fail(`has wire type ${wire}, expected 0, 1, 2 or 5`, start)
    }
    this.wire = wire
    return field
  }

  /** Passes over the value of the current field. */
  skip(): void {
    switch (this.wire) {
      case 0:
        this.varint()
        break
      case 1:
        this.advance(8)
        break
      case 2:
        this.advance(this.varint())
        break
      case 5:
        this.advance(4)
        break
    }
  }

  /** The current field as a signed 64-bit integer; beyond ±2⁵³ it is rounded to the nearest number. */
  int64(): number {
    this.expectWire(0)
    return this.signedVarint()
  }

  /** The current field as float32. */
  float32(): number {
    this.expectWire(5)
    return this.file.view.getFloat32(this.advance(4), true)
  }

  /** The current field's bytes, not copied. */
  bytes(): Uint8Array {
    this.expectWire(2)
    const length = this.varint()
    const start = this.advance(length)
    return this.file.bytes.subarray(start, start + length)
  }

  /**
   * The current field as text.
   *
   * @throws HycoraError `format-invalid` where it is not UTF-8.
   */
  text(): string {
    const start = this.position
    try {
      return textDecoder.decode(this.bytes())
    } catch (thrown) {
      if (thrown instanceof HycoraError) throw thrown
      return this.fail('has text that is not UTF-8', start)
    }
  }

  /** A reader of the current field as a nested message. */
  message(): WireReader {
    this.expectWire(2)
    if (this.depth >= MAXIMUM_DEPTH)
      this.fail(`is nested deeper than ${MAXIMUM_DEPTH} messages`, this.position)
    const length = this.varint()
    const start = this.advance(length)
    return new WireReader(this.file, start, start + length, this.depth + 1)
  }

  /** Appends the current field's integers to `values`, packed or one. */
  int64s(values: number[]): void {
    if (this.wire === 0) {
      values.push(this.signedVarint())
      return
    }
    const packed = this.message()
    while (!packed.atEnd) values.push(packed.signedVarint())
  }

  /** Appends the current field's float32 values to `values`, packed or one. */
  float32s(values: number[]): void {
    this.fixedValues(5, 4, (offset) => values.push(this.file.view.getFloat32(offset, true)))
  }

  /** Appends the current field's float64 values to `values`, packed or one. */
  float64s(values: number[]): void {
    this.fixedValues(1, 8, (offset) => values.push(this.file.view.getFloat64(offset, true)))
  }

  /**
   * Gives the file up.
   *
   * @throws HycoraError `format-invalid`, always: the file's name, the fault and the byte where it is.
   */
  fail(fault: string, position: number = this.position): never {
    throw new HycoraError('format-invalid', `${this.file.name} ${fault}, at byte ${position}`)
  }

  private fixedValues(single: WireType, size: number, append: (offset: number) => void): void {
    if (this.wire === single) {
      append(this.advance(size))
      return
    }
    this.expectWire(2)
    const length = this.varint()
    if (length % size !== 0) this.fail(`packs ${length} bytes, expected a multiple of ${size}`)
    const start = this.advance(length)
    for (let offset = start; offset < start + length; offset += size) append(offset)
  }

  private expectWire(wire: WireType): void {
    if (this.wire !== wire) this.fail(`has wire type ${this.wire}, expected ${wire}`)
  }

  /** Passes over `length` bytes and returns where they start. */
  private advance(length: number): number {
    const start = this.position
    if (length > this.end - start) {
      this.fail(`needs ${length} bytes where ${this.end - start} are left`)
    }
    this.position = start + length
    return start
  }

  /** An unsigned varint; beyond 2⁵³ it is rounded, which every use as a length or tag refuses. */
  private varint(): number {
    const start = this.position
    let value = 0
    let scale = 1
    for (let count = 0; count < MAXIMUM_VARINT_BYTES; count++) {
      if (this.position === this.end) this.fail('ends inside a number', start)
      const byte = this.file.bytes[this.position++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    return this.fail(`has a number of more than ${MAXIMUM_VARINT_BYTES} bytes`, start)
  }

  private signedVarint(): number {
    const start = this.position
    const value = this.varint()
    if (value < 2 ** 53) return value
    // Above 2⁵³ the low bits of the sum are lost, so a negative number is summed again exactly.
    let exact = 0n
    for (let offset = start; offset < this.position; offset++) {
      exact |= BigInt((this.file.bytes[offset] ?? 0) & 0x7f) << BigInt(7 * (offset - start))
    }
    return Number(BigInt.asIntN(64, exact))
  }
}
