import code from '../../shaders/lora_down.wgsl?raw'
import directCode from '../../shaders/lora_down_direct.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { checkRank, directGrid } from './operands/adaptedGroup.ts'
import { DROPOUT_WORDS } from './operands/dropout.ts'
import type { ProjectedParts } from './operands/adapterBinding.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

const sizes = {
  rank: 'u32',
  x_stride: 'u32',
  y_stride: 'u32',
  a_offset: 'u32',
  a_part_stride: 'u32',
  a_slot_stride: 'u32',
  salt: 'u32',
} as const
const bindings = ['step', 'x', 'a', 'dropout', 'y'] as const

export const loraDownKernel = defineKernel({
  name: 'lora_down',
  code,
  uniforms: { in_features: 'u32', out: 'u32', ...sizes },
  bindings,
})

export const loraDownDirectKernel = defineKernel({
  name: 'lora_down_direct',
  code: directCode,
  uniforms: { in_features: 'u32', out: 'u32', parts: 'u32', ...sizes },
  bindings,
})

/** Widths of the matrix that an adapter stands beside, and the number by which its dropout differs from any other's. */
export interface DroppedLayer {
  readonly inFeatures: number
  /** Columns of the projection's output, behind which those of the rank lie. */
  readonly out: number
  readonly salt: number
}

/**
 * The adapter's half of a projection with dropout: `u[r, part, j] = Σ_k drop[r, k]·x[r, k]·A[slot(r), part][k, j]`, into
 * the columns behind the first `out` of `y`. All parts drop the same inputs. With a threshold of 0 it gives what `project`
 * gives.
 *
 * Reference: HyCoRA, eq. 7.
 *
 * @param tensors `step`; `x` [rows, ≥ in]; `dropout` as `packDropout` gives it; writes the last columns of `y`
 *   [rows, ≥ out + parts·rank].
 * @throws HycoraError `shape-mismatch` when a tensor is too narrow.
 */
export async function loraDown(
  { device, tuning }: TunedDevice,
  { adapter, count, aOffset, aPartStride }: ProjectedParts,
  tensors: { readonly step: Tensor; readonly x: Tensor; readonly dropout: Tensor; readonly y: Tensor },
  { inFeatures, out, salt }: DroppedLayer,
): Promise<Dispatch> {
  checkRank(adapter.paddedRank)
  expectLength('dropout', tensors.dropout, DROPOUT_WORDS)
  const bound = { ...tensors, a: adapter.a }
  const values = {
    in_features: inFeatures,
    out,
    rank: adapter.paddedRank,
    x_stride: expectColumns('x', tensors.x, inFeatures),
    y_stride: expectColumns('y', tensors.y, out + count * adapter.paddedRank),
    a_offset: aOffset,
    a_part_stride: aPartStride,
    a_slot_stride: adapter.aSlotStride,
    salt,
  }
  if (tuning.manyRows === 'tile') {
    return bindKernel(device, loraDownKernel, bound, values, {
      workgroups: (rows) => [count, ...exactGrid(rows)],
    })
  }
  return bindKernel(
    device,
    loraDownDirectKernel,
    bound,
    { ...values, parts: count },
    { workgroups: (rows) => directGrid(count, adapter.paddedRank, rows) },
  )
}
