import { halvesToFloats } from '../../core/half.ts'
import type { BlockMatrix, BlockNumbers, StoredTensor, WeightMatrix, WeightVector } from './decoder.ts'
import { ELEMENT_BITS } from './decoder.ts'

/** Elements as they are stored: floats, the bits of halves, codes with a byte each. */
export type RawElements = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>

/** `count` elements from element `first` on, none of them converted. */
export async function readRaw(tensor: StoredTensor, first: number, count: number): Promise<RawElements> {
  const bits = ELEMENT_BITS[tensor.dataType]
  const start = Math.floor((first * bits) / 8)
  const end = Math.ceil(((first + count) * bits) / 8)
  const stored = await tensor.source.read(tensor.offset + start, end - start)
  if (bits < 8) return unpackCodes(stored, { first: first - (start * 8) / bits, count, bits })
  // A copy is aligned; the bytes in the file need not be.
  const bytes = new Uint8Array(stored)
  if (bits === 8) return bytes
  return bits === 16 ? new Uint16Array(bytes.buffer) : new Float32Array(bytes.buffer)
}

/** Codes of less than a byte with a byte each, from code `first` of `packed` on. */
export function unpackCodes(
  packed: Uint8Array,
  { first, count, bits }: { readonly first: number; readonly count: number; readonly bits: number },
): Uint8Array<ArrayBuffer> {
  const codes = new Uint8Array(count)
  const mask = 2 ** bits - 1
  for (let i = 0; i < count; i++) {
    const bit = (first + i) * bits
    codes[i] = ((packed[bit >> 3] ?? 0) >> (bit & 7)) & mask
  }
  return codes
}

/** Stored elements as numbers: halves widened, codes as they are. */
export function toFloats(raw: RawElements, { dataType }: StoredTensor): Float32Array<ArrayBuffer> {
  if (raw instanceof Float32Array) return raw
  if (!(raw instanceof Uint16Array)) return new Float32Array(raw)
  if (dataType === 'f16') return halvesToFloats(raw)
  const words = new Uint32Array(raw)
  for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) << 16
  return new Float32Array(words.buffer)
}

async function readElements(tensor: StoredTensor, first: number, count: number): Promise<Float32Array> {
  return toFloats(await readRaw(tensor, first, count), tensor)
}

/** A vector of norm gains or biases on the CPU. */
export async function readVector({ values, first, length, plus = 0 }: WeightVector): Promise<Float32Array> {
  const stored = await readElements(values, first, length)
  return plus === 0 ? stored : stored.map((value) => value + plus)
}

/** Whether neighbours along a column lie side by side, so that a few rows cannot be read without the others. */
export function isColumnMajor({ stored }: WeightMatrix): boolean {
  return stored.kind === 'float' ? stored.layout === 'in-out' : stored.columnStride !== 1
}

/**
 * A weight matrix on the CPU, dequantised.
 *
 * @returns [out, in], row-major.
 */
export async function readMatrix(matrix: WeightMatrix): Promise<Float32Array> {
  const { out, firstOut, stored } = matrix
  if (stored.kind === 'blocks') return readBlocks(matrix, stored)
  if (stored.layout === 'out-in') return readElements(stored.values, firstOut * matrix.in, out * matrix.in)
  const columns = stored.values.shape[1] ?? 0
  const values = await readElements(stored.values, 0, matrix.in * columns)
  const turned = new Float32Array(out * matrix.in)
  for (let n = 0; n < out; n++) {
    for (let k = 0; k < matrix.in; k++) turned[n * matrix.in + k] = values[k * columns + firstOut + n] ?? 0
  }
  return turned
}

async function readBlocks(matrix: WeightMatrix, stored: BlockMatrix): Promise<Float32Array> {
  const { codes, scales, zeros, blocks } = await readBlockParts(matrix, stored)
  const { levels, blockSize } = stored
  const values = new Float32Array(matrix.out * matrix.in)
  for (let block = 0; block < matrix.out * blocks; block++) {
    const row = Math.floor(block / blocks) * matrix.in
    const first = row + (block % blocks) * blockSize
    const end = Math.min(first + blockSize, row + matrix.in)
    const zero = zeros[block] ?? 0
    const scale = scales[block] ?? 0
    for (let at = first; at < end; at++) {
      const code = codes[at] ?? 0
      values[at] = ((levels ? (levels[code] ?? 0) : code) - zero) * scale
    }
  }
  return values
}

/** A block-quantised matrix taken apart: (codes − zeros) · scales. */
export interface BlockParts {
  /** [out, in], one byte each. */
  readonly codes: Uint8Array
  /** [out, blocks] */
  readonly scales: Float32Array
  readonly zeros: Float32Array
  readonly blocks: number
}

/** Reads a block-quantised matrix without multiplying it out. */
export async function readBlockParts(matrix: WeightMatrix, stored: BlockMatrix): Promise<BlockParts> {
  const { out, firstOut } = matrix
  const blocks = Math.ceil(matrix.in / stored.blockSize)
  const rows = { first: firstOut, count: out, blocks }
  const scales = toFloats(await readBlockNumbers(stored.scales, rows), stored.scales.values)
  return {
    codes: await readCodes(matrix, stored),
    scales,
    zeros: await readZeros(stored.zeros, rows),
    blocks,
  }
}

/** @returns [out, in], one byte each. */
async function readCodes(matrix: WeightMatrix, stored: BlockMatrix): Promise<Uint8Array> {
  const { out, firstOut } = matrix
  const { rowStride, columnStride } = stored
  const first = firstOut * rowStride
  const count = (out - 1) * rowStride + (matrix.in - 1) * columnStride + 1
  const found = await readRaw(stored.codes, first, count)
  if (found instanceof Uint8Array && columnStride === 1 && rowStride === matrix.in) return found
  const codes = new Uint8Array(out * matrix.in)
  for (let n = 0; n < out; n++) {
    for (let k = 0; k < matrix.in; k++)
      codes[n * matrix.in + k] = found[n * rowStride + k * columnStride] ?? 0
  }
  return codes
}

interface BlockRows {
  readonly first: number
  readonly count: number
  readonly blocks: number
}

/** The numbers of some rows' blocks as they are stored, [count, blocks]. */
export async function readBlockNumbers(
  { values, rowStride, blockStride, share }: BlockNumbers,
  { first, count, blocks }: BlockRows,
): Promise<RawElements> {
  const placeOf = (row: number, block: number): number =>
    Math.floor(((first + row) * rowStride + block * blockStride) / share)
  const start = placeOf(0, 0)
  const found = await readRaw(values, start, placeOf(count - 1, blocks - 1) + 1 - start)
  const isInOrder = share === 1 && blockStride === 1 && rowStride === blocks
  if (isInOrder) return found
  const picked = ofSameKind(found, count * blocks)
  for (let row = 0; row < count; row++) {
    for (let block = 0; block < blocks; block++)
      picked[row * blocks + block] = found[placeOf(row, block) - start] ?? 0
  }
  return picked
}

function ofSameKind(like: RawElements, length: number): RawElements {
  if (like instanceof Float32Array) return new Float32Array(length)
  return like instanceof Uint16Array ? new Uint16Array(length) : new Uint8Array(length)
}

/** @returns [count, blocks] */
export async function readZeros(zeros: BlockNumbers | number, rows: BlockRows): Promise<Float32Array> {
  if (typeof zeros === 'number') return new Float32Array(rows.count * rows.blocks).fill(zeros)
  return toFloats(await readBlockNumbers(zeros, rows), zeros.values)
}
