import type { Overrides } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'

/** How a weight matrix [out, in] lies on the GPU; each row is padded to whole 16-byte vectors. */
export interface PackedMatrix {
  readonly format: 'f32' | 'f16' | 'bf16' | 'q4' | 'q8'
  readonly out: number
  readonly in: number
  /** [out, rowWords] 32-bit words, a multiple of 4 a row. */
  readonly weights: Tensor
  readonly rowWords: number
  /** Block formats only: scales as f32 or as packed halves, one a block. */
  readonly scales: Tensor
  /**
   * Block formats only: zero points as packed bytes or as f32, one a block; or the 16 values as f32 that 4-bit codes
   * stand for, with no zero points.
   */
  readonly zeros: Tensor
  readonly halfScales: boolean
  readonly zeroForm: 'bytes' | 'floats' | 'levels'
  /** A multiple of 16, of 32 where a row has one block. */
  readonly blockSize: number
  readonly rowBlocks: number
}

const FORMAT_CODES = { f32: 0, f16: 1, bf16: 2, q4: 4, q8: 8 } as const
const ZERO_CODES = { bytes: 0, floats: 1, levels: 2 } as const

/** The override constants by which a shader knows the format. */
export function formatOverrides({ format, halfScales, zeroForm }: PackedMatrix): Overrides {
  return { FORMAT: FORMAT_CODES[format], HALF_SCALES: halfScales ? 1 : 0, ZEROS: ZERO_CODES[zeroForm] }
}

/** 16-byte vectors of a row that hold weights. */
export function dataVectors(matrix: PackedMatrix): number {
  const perVector = { f32: 4, f16: 8, bf16: 8, q4: 32, q8: 16 }[matrix.format]
  const features = matrix.rowBlocks > 0 ? matrix.rowBlocks * matrix.blockSize : matrix.in
  return Math.ceil(features / perVector)
}

/** The block that rows of activations are padded to in front of all of these matrices. */
export function widestBlock(matrices: readonly PackedMatrix[]): number {
  // A block that holds a whole row is as wide as any row in front of it is at least.
  return Math.max(0, ...matrices.map(({ rowBlocks, blockSize }) => (rowBlocks > 1 ? blockSize : 0)))
}

/**
 * The stride in floats that an activation row needs in front of a matrix: whole tiles and whole blocks, the rest zero, so
 * that kernels read whole vectors without looking at the end.
 */
export function paddedWidth(features: number, blockSize: number): number {
  const multiple = Math.max(32, blockSize)
  return Math.ceil(features / multiple) * multiple
}
