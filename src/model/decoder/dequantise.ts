import { halvesToFloats } from '../../core/half.ts'
import type { BlockMatrix, StoredTensor, WeightMatrix, WeightVector } from './decoder.ts'

function bytesPerElement({ dataType }: StoredTensor): number {
  return dataType === 'f32' ? 4 : dataType === 'f16' ? 2 : 1
}

/** `count` stored numbers from element `first` on, widened. */
async function readElements(tensor: StoredTensor, first: number, count: number): Promise<Float32Array> {
  const size = bytesPerElement(tensor)
  // A copy is aligned; the bytes in the file need not be.
  const bytes = (await tensor.source.read(tensor.offset + first * size, count * size)).slice()
  if (tensor.dataType === 'f32') return new Float32Array(bytes.buffer)
  return tensor.dataType === 'f16' ? halvesToFloats(new Uint16Array(bytes.buffer)) : Float32Array.from(bytes)
}

/** A vector of norm gains or biases on the CPU. */
export function readVector({ values, first, length }: WeightVector): Promise<Float32Array> {
  return readElements(values, first, length)
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
  const values = new Float32Array(matrix.out * matrix.in)
  for (let n = 0; n < matrix.out; n++) {
    for (let k = 0; k < matrix.in; k++) {
      const block = n * blocks + Math.floor(k / stored.blockSize)
      const at = n * matrix.in + k
      values[at] = ((codes[at] ?? 0) - (zeros[block] ?? 0)) * (scales[block] ?? 0)
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
  const { bits, blockSize } = stored
  const blocks = Math.ceil(matrix.in / blockSize)
  const rowBytes = blocks * ((blockSize * bits) / 8)
  const packed = await readElements(stored.codes, firstOut * rowBytes, out * rowBytes)
  const codes = new Uint8Array(out * matrix.in)
  for (let n = 0; n < out; n++) {
    for (let k = 0; k < matrix.in; k++) codes[n * matrix.in + k] = codeAt(packed, n * rowBytes, k, bits)
  }
  const scales = await readElements(stored.scales, firstOut * blocks, out * blocks)
  return { codes, scales, zeros: await readZeros(matrix, stored, blocks), blocks }
}

/** Code `index` of a row that starts at byte `start`, low bits first. */
function codeAt(bytes: Float32Array, start: number, index: number, bits: number): number {
  const byte = bytes[start + Math.floor((index * bits) / 8)] ?? 0
  return bits === 8 ? byte : (byte >> (4 * (index % 2))) & 15
}

/** @returns [out, blocks] */
async function readZeros(
  { out, firstOut }: WeightMatrix,
  { bits, zeroPoints }: BlockMatrix,
  blocks: number,
): Promise<Float32Array> {
  if (!zeroPoints) return new Float32Array(out * blocks).fill(2 ** (bits - 1))
  if (zeroPoints.dataType !== 'u8') return readElements(zeroPoints, firstOut * blocks, out * blocks)
  const rowBytes = Math.ceil((blocks * bits) / 8)
  const packed = await readElements(zeroPoints, firstOut * rowBytes, out * rowBytes)
  return Float32Array.from({ length: out * blocks }, (_, at) => {
    return codeAt(packed, Math.floor(at / blocks) * rowBytes, at % blocks, bits)
  })
}
