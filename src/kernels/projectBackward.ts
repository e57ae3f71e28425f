import code from '../../shaders/project_backward.wgsl?raw'
import directCode from '../../shaders/project_backward_direct.wgsl?raw'
import { check } from '../core/errors.ts'
import { paddedGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { bindingBytes } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { DROPOUT_WORDS } from './operands/dropout.ts'
import { dataVectors, formatOverrides } from './operands/packedMatrix.ts'
import type { PackedMatrix } from './operands/packedMatrix.ts'
import type { ProjectedParts } from './operands/adapterBinding.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

const uniforms = {
  out: 'u32',
  in_features: 'u32',
  in_vectors: 'u32',
  row_vectors: 'u32',
  block_size: 'u32',
  row_blocks: 'u32',
  dy_stride: 'u32',
  dx_stride: 'u32',
  parts: 'u32',
  rank: 'u32',
  a_offset: 'u32',
  a_part_stride: 'u32',
  a_slot_stride: 'u32',
  salt: 'u32',
} as const
const bindings = ['step', 'dy', 'weights', 'scales', 'zeros', 'a', 'dropout', 'dx'] as const

export const projectBackwardKernel = defineKernel({ name: 'project_backward', code, uniforms, bindings })

export const projectBackwardDirectKernel = defineKernel({
  name: 'project_backward_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** Rows and columns that a workgroup takes. */
const PLANS = {
  tile: { rows: 32, columns: 32 },
  direct: { rows: 32, columns: 64 },
} as const

export interface ProjectBackwardOptions {
  /** Tells this projection's dropout from others'. */
  readonly salt: number
}

/**
 * Gradient of an adapted projection's input, the weights in the format they are stored in:
 * `dx[r, k] = Σ_n dy[r, n]·W[n, k] + drop[r, k]·Σ_part Σ_j du[r, part, j]·A[slot(r), part][k, j]`.
 * With `count` 0 parts it is the first sum alone, and `a` and `dropout` are not read.
 *
 * Reference: HyCoRA, eq. 7.
 *
 * @param tensors `step`; `dy` [rows, ≥ out + parts·rank], du after the columns; `dropout` as `packDropout` gives it;
 *   writes the first `in` columns of `dx`.
 * @throws HycoraError `shape-mismatch` when a tensor is too narrow.
 */
export async function projectBackward(
  { device, tuning }: TunedDevice,
  matrix: PackedMatrix,
  { adapter, count, aOffset, aPartStride }: ProjectedParts,
  tensors: { readonly step: Tensor; readonly dy: Tensor; readonly dropout: Tensor; readonly dx: Tensor },
  { salt }: ProjectBackwardOptions,
): Promise<Dispatch> {
  const { step, dy, dropout, dx } = tensors
  const plan = tuning.manyRows
  expectLength('dropout', dropout, DROPOUT_WORDS)
  const { weights, scales, zeros } = matrix
  const dyStride = expectColumns('dy', dy, matrix.out + count * adapter.paddedRank)
  const isAligned = matrix.out % 4 === 0 && dyStride % 4 === 0
  check(
    bindingBytes(dy) % 16 === 0,
    'shape-mismatch',
    () => `dy is bound with ${bindingBytes(dy)} bytes, expected whole vectors`,
  )
  return bindKernel(
    device,
    plan === 'tile' ? projectBackwardKernel : projectBackwardDirectKernel,
    { step, dy, weights, scales, zeros, a: adapter.a, dropout, dx },
    {
      out: matrix.out,
      in_features: matrix.in,
      in_vectors: dataVectors(matrix),
      row_vectors: matrix.rowWords / 4,
      block_size: Math.max(1, matrix.blockSize),
      row_blocks: matrix.rowBlocks,
      dy_stride: dyStride,
      dx_stride: expectColumns('dx', dx, matrix.in),
      parts: count,
      rank: adapter.paddedRank,
      a_offset: aOffset,
      a_part_stride: aPartStride,
      a_slot_stride: adapter.aSlotStride,
      salt,
    },
    {
      overrides:
        plan === 'tile'
          ? formatOverrides(matrix)
          : { ...formatOverrides(matrix), ALIGNED: isAligned ? 1 : 0 },
      workgroups: (rows) => [
        Math.ceil(matrix.in / PLANS[plan].columns),
        ...paddedGrid(Math.ceil(rows / PLANS[plan].rows)),
      ],
    },
  )
}
