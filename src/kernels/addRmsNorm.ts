import code from '../../shaders/add_rms_norm.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { lanesOfRow } from './operands/rowLanes.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

export const addRmsNormKernel = defineKernel({
  name: 'add_rms_norm',
  code,
  uniforms: {
    columns: 'u32',
    delta_stride: 'u32',
    residual_stride: 'u32',
    y_stride: 'u32',
    rank: 'u32',
    b_offset: 'u32',
    b_slot_stride: 'u32',
    epsilon: 'f32',
  },
  bindings: ['step', 'delta', 'bias', 'b', 'gain', 'residual', 'y'],
})

export interface AddRmsNormOptions {
  readonly epsilon: number
}

/**
 * Adds a projection's output, bias and adapter to the residual stream, then normalises each row:
 * `residual += delta + bias + scale·u·B`, `y = gain · residual / √(mean(residual²) + epsilon)`.
 * Without `added` the residual stays as it is; without `gain` y is the residual, as wide as its rows.
 *
 * Reference: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, eq. 4; HyCoRA, eq. 7.
 *
 * @param tensors `gain` [columns]; `residual` [rows, ≥ columns], read and written; writes `y` [rows, ≥ columns].
 * @param added `delta` [rows, ≥ columns + rank], `bias` [columns], where B lies in a slot (floats).
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export function addRmsNorm(
  { device, tuning }: TunedDevice,
  adapter: AdapterBinding,
  tensors: {
    readonly step: Tensor
    readonly gain: Tensor | null
    readonly residual: Tensor
    readonly y: Tensor
  },
  added: { readonly delta: Tensor; readonly bias: Tensor; readonly bOffset: number } | null,
  options: AddRmsNormOptions,
): Promise<Dispatch> {
  // What is not read is filled with what is there anyway.
  const gain = tensors.gain ?? added?.bias ?? tensors.step
  const columns = tensors.gain ? (gain.shape[0] ?? 0) : (tensors.residual.shape[1] ?? 0)
  if (tensors.gain) expectLength('gain', gain, columns)
  const residualStride = expectColumns('residual', tensors.residual, columns)
  const yStride = expectColumns('y', tensors.y, columns)
  if (added) expectLength('bias', added.bias, columns)
  return bindKernel(
    device,
    addRmsNormKernel,
    { ...tensors, gain, delta: added?.delta ?? gain, bias: added?.bias ?? gain, b: adapter.b },
    {
      columns,
      delta_stride: added ? expectColumns('delta', added.delta, columns + adapter.paddedRank) : 0,
      residual_stride: residualStride,
      y_stride: yStride,
      rank: adapter.paddedRank,
      b_offset: added?.bOffset ?? 0,
      b_slot_stride: adapter.bSlotStride,
      epsilon: options.epsilon,
    },
    {
      workgroups: (rows) => [...exactGrid(rows), 1],
      overrides: {
        ADD: added ? 1 : 0,
        NORM: tensors.gain ? 1 : 0,
        WORKGROUP_SIZE: lanesOfRow(columns, tuning.normLanes),
      },
    },
  )
}
