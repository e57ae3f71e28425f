import type { ByteSource } from '../core/bytes.ts'
import { joinBytes } from '../core/bytes.ts'
import { isPathBelow } from './onnxTensor.ts'

/** Weights from this size on stay in their file. */
const LARGE_BYTES = 64 * 2 ** 10

/** Bytes that are read at once in search of the weights. */
const WINDOW_BYTES = 2 ** 20

/** Fields beyond which a file is no model. */
const MOST_FIELDS = 2 ** 20

/** Message types on the way to a tensor's bytes, by the fields that lead there. */
const GRAPH_OF_MODEL = 7
const TENSOR_OF_GRAPH = 5
/** `float_data`, packed, and `raw_data`: the same bytes either way. */
const DATA_OF_TENSOR = [4, 9]

const LENGTH_DELIMITED = 2

interface Field {
  readonly number: number
  readonly wire: number
  /** Where tag, content and next field begin. */
  readonly start: number
  readonly content: number
  readonly end: number
}

/** The file is read whole, for its reader to say what is wrong with it. */
class MalformedError extends Error {}

/** Reads fields of a protobuf message that stays in its file, a window at a time. */
class FieldReader {
  private readonly source: ByteSource
  private window = new Uint8Array()
  private windowStart = 0
  private fields = 0

  constructor(source: ByteSource) {
    this.source = source
  }

  async bytes(start: number, end: number): Promise<Uint8Array> {
    const isInside = start >= this.windowStart && end <= this.windowStart + this.window.length
    if (!isInside) {
      const length = Math.min(Math.max(WINDOW_BYTES, end - start), this.source.sizeBytes - start)
      this.window = new Uint8Array(await this.source.read(start, length))
      this.windowStart = start
    }
    return this.window.subarray(start - this.windowStart, end - this.windowStart)
  }

  /** The field that begins at `start` in a message that ends at `end`. */
  async field(start: number, end: number): Promise<Field> {
    if (++this.fields > MOST_FIELDS) throw new MalformedError()
    const tag = await this.varint(start, end)
    const [number, wire] = [Math.floor(tag.value / 8), tag.value % 8]
    const place = { number, wire, start }
    const fixed = { 1: 8, 5: 4 }[wire]
    if (fixed !== undefined) return this.inside({ ...place, content: tag.end, end: tag.end + fixed }, end)
    const { value, end: content } = await this.varint(tag.end, end)
    if (wire === 0) return { ...place, content: tag.end, end: content }
    if (wire !== LENGTH_DELIMITED) throw new MalformedError()
    return this.inside({ ...place, content, end: content + value }, end)
  }

  private inside(field: Field, end: number): Field {
    if (field.end > end) throw new MalformedError()
    return field
  }

  private async varint(start: number, end: number): Promise<{ value: number; end: number }> {
    const bytes = await this.bytes(start, Math.min(start + 10, end))
    let value = 0
    for (const [index, byte] of bytes.entries()) {
      value += (byte & 127) * 128 ** index
      if (byte < 128) return { value, end: start + index + 1 }
    }
    throw new MalformedError()
  }
}

/**
 * An ONNX model without its large weights: they are said to lie in `fileName`, as external data do, which is the file
 * itself. What is left takes a few megabytes, whatever the weights take.
 *
 * @param fileName of the model, as its folder has it.
 */
export async function readOnnxSkeleton(source: ByteSource, fileName: string): Promise<Uint8Array> {
  const reader = new FieldReader(source)
  try {
    if (!isPathBelow(fileName)) throw new MalformedError()
    return joinBytes(
      await rewritten(reader, { start: 0, end: source.sizeBytes }, async (field) =>
        field.number === GRAPH_OF_MODEL
          ? message(field.number, await graphParts(reader, field, fileName))
          : undefined,
      ),
    )
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    return source.read(0, source.sizeBytes)
  }
}

interface Stretch {
  readonly start: number
  readonly end: number
}

/** The fields of a message, copied but for those that `change` has other bytes for. */
async function rewritten(
  reader: FieldReader,
  { start, end }: Stretch,
  change: (field: Field) => Promise<Uint8Array | undefined>,
): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  for (let at = start; at < end;) {
    const field = await reader.field(at, end)
    const changed = field.wire === LENGTH_DELIMITED ? await change(field) : undefined
    // A copy, so that no window stays in memory for the few bytes that are taken from it.
    parts.push(changed ?? (await reader.bytes(field.start, field.end)).slice())
    at = field.end
  }
  return parts
}

function graphParts(reader: FieldReader, graph: Field, fileName: string): Promise<Uint8Array[]> {
  return rewritten(reader, { start: graph.content, end: graph.end }, async (field) => {
    const isLarge = field.number === TENSOR_OF_GRAPH && field.end - field.content > LARGE_BYTES
    return isLarge ? message(field.number, await tensorParts(reader, field, fileName)) : undefined
  })
}

async function tensorParts(reader: FieldReader, tensor: Field, fileName: string): Promise<Uint8Array[]> {
  const left: Field[] = []
  const parts = await rewritten(reader, { start: tensor.content, end: tensor.end }, async (field) => {
    const isData = DATA_OF_TENSOR.includes(field.number) && field.end - field.content > LARGE_BYTES
    if (!isData) return undefined
    left.push(field)
    return new Uint8Array()
  })
  const [data, another] = left
  if (!data || another) throw new MalformedError()
  const place = { location: fileName, offset: data.content, length: data.end - data.content }
  for (const [key, value] of Object.entries(place))
    parts.push(message(13, [message(1, [text(key)]), message(2, [text(String(value))])]))
  // data_location: EXTERNAL
  parts.push(Uint8Array.of(14 * 8, 1))
  return parts
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** A length-delimited field. */
function message(number: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return joinBytes([
    Uint8Array.from([...varintBytes(number * 8 + LENGTH_DELIMITED), ...varintBytes(length)]),
    ...parts,
  ])
}

function varintBytes(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return bytes
}
