import { halfToFloat } from '../core/half.ts'
import type { WireReader } from './protobuf.ts'

/** The bytes of an initializer: inside the model file (never copied), as listed numbers, or in another file. */
export type OnnxContent =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'numbers'; readonly values: readonly number[] }
  | {
      readonly kind: 'external'
      readonly location: string
      readonly offset: number
      readonly sizeBytes: number
    }

/** An initializer or the tensor of an attribute. */
export interface OnnxTensor {
  readonly name: string
  readonly dims: readonly number[]
  /** TensorProto.DataType, see `DATA_TYPES`. */
  readonly dataType: number
  readonly content: OnnxContent
}

/** TensorProto.DataType by name. */
export const DATA_TYPES = {
  f32: 1,
  u8: 2,
  i8: 3,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  f64: 11,
  bf16: 16,
  u4: 21,
  i4: 22,
  u2: 25,
  i2: 26,
} as const

const TEXT_DATA_TYPE = 8

/** Bits of an element by data type. */
const ELEMENT_BITS: ReadonlyMap<number, number> = new Map([
  [1, 32],
  [2, 8],
  [3, 8],
  [4, 16],
  [5, 16],
  [6, 32],
  [7, 64],
  [9, 8],
  [10, 16],
  [11, 64],
  [12, 32],
  [13, 64],
  [14, 64],
  [15, 128],
  [16, 16],
  [17, 8],
  [18, 8],
  [19, 8],
  [20, 8],
  [21, 4],
  [22, 4],
  [23, 4],
  [24, 8],
  [25, 2],
  [26, 2],
])

const NUMBER_READERS: ReadonlyMap<number, { size: number; at: (view: DataView, offset: number) => number }> =
  new Map([
    [DATA_TYPES.f32, { size: 4, at: (view: DataView, offset: number) => view.getFloat32(offset, true) }],
    [
      DATA_TYPES.f16,
      { size: 2, at: (view: DataView, offset: number) => halfToFloat(view.getUint16(offset, true)) },
    ],
    [DATA_TYPES.i32, { size: 4, at: (view: DataView, offset: number) => view.getInt32(offset, true) }],
    [
      DATA_TYPES.i64,
      { size: 8, at: (view: DataView, offset: number) => Number(view.getBigInt64(offset, true)) },
    ],
    [DATA_TYPES.bool, { size: 1, at: (view: DataView, offset: number) => view.getUint8(offset) }],
  ])

/** The bytes that `dims` elements of `dataType` take; undefined for text and unknown types. */
export function tensorSizeBytes(dataType: number, dims: readonly number[]): number | undefined {
  const bits = ELEMENT_BITS.get(dataType)
  if (bits === undefined) return undefined
  const count = dims.reduce((product, dim) => product * dim, 1)
  return Math.ceil((count * bits) / 8)
}

/** Adds a key-value message to `pairs`; a key that comes again is refused. */
export function readPair(reader: WireReader, pairs: Map<string, string>): void {
  let key = ''
  let value = ''
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.text()
    else if (field === 2) value = reader.text()
    else reader.skip()
  }
  if (pairs.has(key)) reader.fail(`has the key "${key}" twice`)
  pairs.set(key, value)
}

/** The fields of a TensorProto as they come, before they are held against each other. */
interface TensorFields {
  name: string
  dataType: number
  isExternal: boolean
  readonly dims: number[]
  readonly numbers: number[]
  readonly external: Map<string, string>
  raw: Uint8Array | undefined
  packedFloats: Uint8Array | undefined
}

/**
 * Reads a TensorProto; its bytes are a view of the file.
 *
 * @throws HycoraError `format-invalid` where the data is not exactly what type and shape ask for.
 */
export function readOnnxTensor(reader: WireReader): OnnxTensor {
  const fields = readFields(reader)
  const { name, dims, dataType } = fields
  for (const dim of dims) {
    if (!(Number.isSafeInteger(dim) && dim >= 0)) reader.fail(`gives ${name} the dimension ${dim}`)
  }
  const content = fields.isExternal ? externalContent(reader, fields) : inlineContent(reader, fields)
  return { name, dims, dataType, content }
}

function readFields(reader: WireReader): TensorFields {
  const fields: TensorFields = {
    name: '',
    dataType: 0,
    isExternal: false,
    dims: [],
    numbers: [],
    external: new Map(),
    raw: undefined,
    packedFloats: undefined,
  }
  const { numbers } = fields
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.int64s(fields.dims)
    else if (field === 2) fields.dataType = reader.int64()
    else if (field === 4 && reader.wire === 2 && !fields.packedFloats && numbers.length === 0) {
      // Packed floats are the raw bytes of the tensor, so a whole weight stored this way is not copied either.
      fields.packedFloats = reader.bytes()
    } else if (field === 4) reader.float32s(numbers)
    else if (field === 5 || field === 7 || field === 11) reader.int64s(numbers)
    else if (field === 8) fields.name = reader.text()
    else if (field === 9) {
      if (fields.raw) reader.fail(`has the raw data of ${fields.name} twice`)
      fields.raw = reader.bytes()
    } else if (field === 10) reader.float64s(numbers)
    else if (field === 13) readPair(reader.message(), fields.external)
    else if (field === 14) fields.isExternal = reader.int64() === 1
    else reader.skip()
  }
  return fields
}

function expectedSize(reader: WireReader, { name, dims, dataType }: TensorFields): number {
  const size = tensorSizeBytes(dataType, dims)
  if (size === undefined) return reader.fail(`gives ${name} the data type ${dataType}, expected a known one`)
  if (!Number.isSafeInteger(size)) reader.fail(`gives ${name} the shape [${dims.join(', ')}], too large`)
  return size
}

function inlineContent(reader: WireReader, fields: TensorFields): OnnxContent {
  const { name, dims, dataType, numbers, raw, packedFloats } = fields
  if (fields.external.size > 0) reader.fail(`has external data for ${name} that is not marked as such`)
  if (dataType === TEXT_DATA_TYPE) return { kind: 'numbers', values: [] }
  const size = expectedSize(reader, fields)
  if (packedFloats && dataType !== DATA_TYPES.f32)
    reader.fail(`lists floats for ${name} of data type ${dataType}`)
  const stored = raw ?? packedFloats
  if (stored) {
    if ((raw && packedFloats) || numbers.length > 0) reader.fail(`has the data of ${name} twice`)
    if (stored.byteLength !== size) {
      reader.fail(`has ${stored.byteLength} bytes for ${name}, expected ${size} for [${dims.join(', ')}]`)
    }
    return { kind: 'bytes', bytes: stored }
  }
  // Elements of less than a byte are listed as bytes.
  const count = Math.min(
    size,
    dims.reduce((product, dim) => product * dim, 1),
  )
  if (numbers.length !== count) {
    reader.fail(`lists ${numbers.length} numbers for ${name}, expected ${count} for [${dims.join(', ')}]`)
  }
  return { kind: 'numbers', values: numbers }
}

function externalContent(reader: WireReader, fields: TensorFields): OnnxContent {
  const { name, dims, raw, packedFloats, numbers } = fields
  if (raw || packedFloats || numbers.length > 0)
    reader.fail(`has the data of ${name} both inside and outside`)
  const size = expectedSize(reader, fields)
  const { location, offset, length } = externalPlace(reader, name, fields.external)
  if (length !== undefined && length !== size) {
    reader.fail(`places ${length} bytes of ${name} in ${location}, expected ${size} for [${dims.join(', ')}]`)
  }
  return { kind: 'external', location, offset, sizeBytes: size }
}

function externalPlace(
  reader: WireReader,
  name: string,
  pairs: ReadonlyMap<string, string>,
): { location: string; offset: number; length: number | undefined } {
  let location = ''
  let offset = 0
  let length: number | undefined
  for (const [key, value] of pairs) {
    // Some exporters say that a file lies beside this one, where others give its name alone.
    if (key === 'location') location = value.replace(/^(\.\/)+/, '')
    else if (key === 'offset') offset = externalNumber(reader, name, key, value)
    else if (key === 'length') length = externalNumber(reader, name, key, value)
    else if (key !== 'checksum') reader.fail(`has the unknown external data key "${key}" for ${name}`)
  }
  if (!isPathBelow(location))
    reader.fail(`places ${name} in "${location}", expected a file beside it or in a folder below`)
  return { location, offset, length }
}

/** Whether a path leads from a folder to a file in it or below it, whatever takes it for one. */
export function isPathBelow(path: string): boolean {
  return path.split('/').every((part) => /^[^./\\:%\0][^/\\:%\0]*$/u.test(part) && !part.includes('..'))
}

function externalNumber(reader: WireReader, name: string, key: string, value: string): number {
  const number = Number(value)
  if (!/^[0-9]{1,16}$/.test(value) || !Number.isSafeInteger(number)) {
    reader.fail(`has the external ${key} "${value}" for ${name}, expected a non-negative safe integer`)
  }
  return number
}

/**
 * The numbers of a small constant, widened; 64-bit integers beyond ±2⁵³ are rounded.
 *
 * @returns undefined where the bytes lie in another file or the type is not a plain number.
 */
export function readNumbers(
  tensor: OnnxTensor,
): { values: readonly number[]; isInteger: boolean } | undefined {
  const isInteger = tensor.dataType !== DATA_TYPES.f32 && tensor.dataType !== DATA_TYPES.f16
  const read = NUMBER_READERS.get(tensor.dataType)
  if (!read || tensor.content.kind === 'external') return undefined
  if (tensor.content.kind === 'numbers') {
    const { values } = tensor.content
    return { values: tensor.dataType === DATA_TYPES.f16 ? values.map(halfToFloat) : values, isInteger }
  }
  const { bytes } = tensor.content
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = Array.from({ length: bytes.byteLength / read.size }, (_, at) =>
    read.at(view, at * read.size),
  )
  return { values, isInteger }
}
