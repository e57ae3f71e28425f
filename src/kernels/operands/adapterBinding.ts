import type { Tensor } from '../../gpu/tensor.ts'

/**
 * The adapter as a kernel sees it: one buffer of A slots and one of B slots, and how far slots lie apart. With rank 0
 * there is no adapter and the tensors are placeholders.
 */
export interface AdapterBinding {
  /** The rank with its padding of zeros, a multiple of 4; what kernels call the rank. */
  readonly paddedRank: number
  readonly a: Tensor
  readonly aSlotStride: number
  readonly b: Tensor
  /** 0 where B is shared by all roles. */
  readonly bSlotStride: number
}

/** The A matrices that a projection multiplies its input with, one for each part that lies side by side in W. */
export interface ProjectedParts {
  readonly adapter: AdapterBinding
  readonly count: number
  /** Offset of the first part's A in a slot, and of each next one from there; in floats. */
  readonly aOffset: number
  readonly aPartStride: number
}
