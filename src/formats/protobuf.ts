import { HycoraError } from '../core/errors.ts'

/** How a field's value is laid out: a varint, eight bytes, a length and that many bytes, or four bytes. */
export type WireType = 0 | 1 | 2 | 5

const MAXIMUM_DEPTH = 16
const MAXIMUM_VARINT_BYTES = 10
const MAXIMUM_FIELD_NUMBER = 2 ** 29 - 1
const textDecoder = new TextDecoder('utf-8', { fatal: true })

/**
 * A cursor over one message of the protobuf wire format; nested messages are readers on the same bytes.
 * Lengths are checked against the parent before anything is read or allocated, so hostile bytes cost no more than
 * their own size.
 *
 * Reference: "Encoding", protobuf.dev.
 */
export class WireReader {
  /** The wire type of the field that `next` returned. */
  wire: WireType = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly fileName: string
  private readonly depth: number
  private readonly end: number
  private position: number

  private constructor(parent: Pick<WireReader, 'bytes' | 'view' | 'fileName'>, start: number, end: number, depth: number) {
    this.bytes = parent.bytes
    this.view = parent.view
    this.fileName = parent.fileName
    this.position = start
    this.end = end
    this.depth = depth
  }
