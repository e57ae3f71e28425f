import code from '../../shaders/swiglu.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

export const swigluKernel = defineKernel({
  name: 'swiglu',
  code,
  uniforms: {
    columns: 'u32',
    gate_up_stride: 'u32',
    y_stride: 'u32',
    rank: 'u32',
    b_gate: 'u32',
    b_up: 'u32',
    b_slot_stride: 'u32',
  },
  bindings: ['step', 'gate_up', 'bias', 'b', 'y'],
})

/** Columns that one workgroup takes. */
const COLUMNS = 128

/**
 * Gated activation with bias and adapter: `y = silu(gate + …) · (up + …)`, `silu(g) = g / (1 + exp(−g))`.
 *
 * Reference: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6; HyCoRA, eq. 7.
 *
 * @param tensors `gate_up` [rows, ≥ 2·columns + 2·rank], `bias` [2·columns]; writes `y` [rows, ≥ columns].
 * @param bOffsets where B of gate and up lies in a slot, in floats.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export function swiglu(
  device: GPUDevice,
  adapter: AdapterBinding,
  tensors: { readonly step: Tensor; readonly gate_up: Tensor; readonly bias: Tensor; readonly y: Tensor },
  bOffsets: { readonly gate: number; readonly up: number },
): Promise<Dispatch> {
  const columns = (tensors.bias.shape[0] ?? 0) / 2
  expectLength('bias', tensors.bias, 2 * columns)
  return bindKernel(
    device,
    swigluKernel,
    { ...tensors, b: adapter.b },
    {
      columns,
      gate_up_stride: expectColumns('gate_up', tensors.gate_up, 2 * (columns + adapter.paddedRank)),
      y_stride: expectColumns('y', tensors.y, columns),
      rank: adapter.paddedRank,
      b_gate: bOffsets.gate,
      b_up: bOffsets.up,
      b_slot_stride: adapter.bSlotStride,
    },
    { workgroups: (rows) => [Math.ceil(columns / COLUMNS), ...exactGrid(rows)] },
  )
}
