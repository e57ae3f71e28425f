import type { Overrides } from '../../gpu/kernel.ts'
import type { Tensor } from '../../gpu/tensor.ts'

/** How a weight matrix [out, in] lies on the GPU; each row is padded to whole 16-byte vectors. */
export interface PackedMatrix {
  readonly format: 'f32' | 'f16' | 'q4' | 'q8'
  readonly out: number
  readonly in: number
  /** [out, rowWords] 32-bit words, a multiple of 4 a row. */
  readonly weights: Tensor
  readonly rowWords: number
  /** Block formats only: scales as f32 or as packed halves, zero points as packed bytes, one of each a block. */
  readonly scales: Tensor
  readonly zeros: Tensor
  readonly halfScales: boolean
  readonly blockSize: number
  readonly rowBlocks: number
}

const FORMAT_CODES = { f32: 0, f16: 1, q4: 4, q8: 8 } as const

/** The override constants by which a shader knows the format. */
export function formatOverrides(matrix: PackedMatrix): Overrides {
  return { FORMAT: FORMAT_CODES[matrix.format], HALF_SCALES: matrix.halfScales ? 1 : 0 }
}

/** 16-byte vectors of a row that hold weights. */
export function dataVectors(matrix: PackedMatrix): number {
  const perVector = { f32: 4, f16: 8, q4: 32, q8: 16 }[matrix.format]
  const features = matrix.rowBlocks > 0 ? matrix.rowBlocks * matrix.blockSize : matrix.in
  return Math.ceil(features / perVector)
}

/**
 * The stride in floats that an activation row needs in front of a matrix: whole tiles and whole blocks, the rest zero, so
 * that kernels read whole vectors without looking at the end.
 */
export function paddedWidth(features: number, blockSize: number): number {
  const multiple = Math.max(32, blockSize)
  return Math.ceil(features / multiple) * multiple
}
