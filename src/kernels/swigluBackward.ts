import code from '../../shaders/swiglu_backward.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

export const swigluBackwardKernel = defineKernel({
  name: 'swiglu_backward',
  code,
  uniforms: {
    columns: 'u32',
    gate_up_stride: 'u32',
    dy_stride: 'u32',
    dgate_up_stride: 'u32',
    rank: 'u32',
    b_gate: 'u32',
    b_up: 'u32',
    b_slot_stride: 'u32',
  },
  bindings: ['step', 'gate_up', 'bias', 'b', 'dy', 'dgate_up'],
})

/** Columns of a workgroup. */
const COLUMNS = 128

/**
 * Gradient of `y = silu(g) · p`, `g = gate + bias + scale·u·B_gate`, `p` likewise, with respect to g and p:
 * `dg = dy·p·s·(1 + g·(1 − s))`, `dp = dy·g·s`, `s = 1 / (1 + exp(−g))`.
 *
 * Reference: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6; HyCoRA, eq. 7.
 *
 * @param tensors `gate_up` [rows, ≥ 2·columns + 2·rank] and `bias` [2·columns] as the forward kernel read them, `dy`
 *   [rows, ≥ columns]; writes the first 2·columns of `dgate_up` [rows, ≥ 2·columns].
 * @param bOffsets where B of gate and up lies in a slot, in floats.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export function swigluBackward(
  device: GPUDevice,
  adapter: AdapterBinding,
  tensors: {
    readonly step: Tensor
    readonly gate_up: Tensor
    readonly bias: Tensor
    readonly dy: Tensor
    readonly dgate_up: Tensor
  },
  bOffsets: { readonly gate: number; readonly up: number },
): Promise<Dispatch> {
  const columns = (tensors.bias.shape[0] ?? 0) / 2
  expectLength('bias', tensors.bias, 2 * columns)
  return bindKernel(
    device,
    swigluBackwardKernel,
    { ...tensors, b: adapter.b },
    {
      columns,
      gate_up_stride: expectColumns('gate_up', tensors.gate_up, 2 * (columns + adapter.paddedRank)),
      dy_stride: expectColumns('dy', tensors.dy, columns),
      dgate_up_stride: expectColumns('dgate_up', tensors.dgate_up, 2 * columns),
      rank: adapter.paddedRank,
      b_gate: bOffsets.gate,
      b_up: bOffsets.up,
      b_slot_stride: adapter.bSlotStride,
    },
    { workgroups: (rows) => [Math.ceil(columns / COLUMNS), ...exactGrid(rows)] },
  )
}
