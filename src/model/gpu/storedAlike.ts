import { memorySource } from '../../formats/memorySource.ts'
import type { BlockMatrix, StoredTensor, WeightMatrix } from '../decoder/decoder.ts'
import { readBlockParts, readMatrix } from '../decoder/dequantise.ts'
import type { BlockParts } from '../decoder/dequantise.ts'

/** The largest code of a byte, which a zero point has to be as well. */
const LARGEST = 255

/** How a matrix is stored, for comparing and for messages. */
export function storedFormat({ stored }: WeightMatrix): string {
  return stored.kind === 'float' ? stored.values.dataType : `${stored.bits}-bit blocks of ${stored.blockSize}`
}

/** Bytes that a matrix takes as it is stored, without scales. */
export function storedBytes({ stored, out, in: width }: WeightMatrix): number {
  const bits = stored.kind === 'blocks' ? stored.bits : stored.values.dataType === 'f16' ? 16 : 32
  return (out * width * bits) / 8
}

function hasPackedZeros({ stored }: WeightMatrix): boolean {
  return stored.kind === 'float' || !stored.zeroPoints || stored.zeroPoints.dataType === 'u8'
}

/**
 * Matrices that are to stand side by side, all stored in one way in which each is exact: as they are where they are
 * stored alike; blocks of several kinds as blocks of bytes, as small as the smallest; all else as floats.
 */
export async function storedAlike(matrices: readonly WeightMatrix[]): Promise<readonly WeightMatrix[]> {
  const isAlike = new Set(matrices.map(storedFormat)).size <= 1
  if (isAlike && matrices.every(hasPackedZeros)) return matrices
  const blocks = matrices.flatMap(({ stored }) => (stored.kind === 'blocks' ? [stored.blockSize] : []))
  if (blocks.length < matrices.length) return asFloats(matrices)
  const parts: BlockParts[] = []
  for (const matrix of matrices) {
    if (matrix.stored.kind === 'blocks') parts.push(await readBlockParts(matrix, matrix.stored))
  }
  const isWhole = parts.every(({ zeros }) =>
    zeros.every((zero) => Number.isInteger(zero) && zero >= 0 && zero <= LARGEST),
  )
  if (!isWhole) return asFloats(matrices)
  const blockSize = Math.min(...blocks)
  return matrices.map((matrix, index) => asBytes(matrix, parts[index], blockSize))
}

async function asFloats(matrices: readonly WeightMatrix[]): Promise<readonly WeightMatrix[]> {
  const floats: WeightMatrix[] = []
  for (const matrix of matrices) {
    const values = tensorOf(matrix, 'f32', [matrix.out, matrix.in], await readMatrix(matrix))
    floats.push({ ...matrix, firstOut: 0, stored: { kind: 'float', layout: 'out-in', values } })
  }
  return floats
}

/** The same codes with a byte each, in blocks of which one or several are one of the old. */
function asBytes(matrix: WeightMatrix, parts: BlockParts | undefined, blockSize: number): WeightMatrix {
  if (!parts || matrix.stored.kind !== 'blocks') throw new RangeError('these weights are no blocks')
  const { out, in: width } = matrix
  const blocks = Math.ceil(width / blockSize)
  const codes = new Uint8Array(out * blocks * blockSize)
  const scales = new Float32Array(out * blocks)
  const zeros = new Uint8Array(out * blocks)
  for (let n = 0; n < out; n++) {
    codes.set(parts.codes.subarray(n * width, (n + 1) * width), n * blocks * blockSize)
    for (let block = 0; block < blocks; block++) {
      const old = n * parts.blocks + Math.floor((block * blockSize) / matrix.stored.blockSize)
      scales[n * blocks + block] = parts.scales[old] ?? 0
      zeros[n * blocks + block] = parts.zeros[old] ?? 0
    }
  }
  const stored: BlockMatrix = {
    kind: 'blocks',
    bits: 8,
    blockSize,
    codes: tensorOf(matrix, 'u8', [out, blocks, blockSize], codes),
    scales: tensorOf(matrix, 'f32', [out, blocks], scales),
    zeroPoints: tensorOf(matrix, 'u8', [out, blocks], zeros),
  }
  return { ...matrix, firstOut: 0, stored }
}

function tensorOf(
  { stored }: WeightMatrix,
  dataType: StoredTensor['dataType'],
  shape: readonly number[],
  { buffer }: Float32Array | Uint8Array,
): StoredTensor {
  const { name } = stored.kind === 'float' ? stored.values : stored.codes
  const bytes = new Uint8Array(buffer)
  return { name, dataType, shape, source: memorySource(name, bytes), offset: 0, sizeBytes: bytes.length }
}
