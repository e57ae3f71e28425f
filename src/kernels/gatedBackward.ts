import code from '../../shaders/gated_backward.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { gatedPlan, gatedValues } from './operands/gatedOperands.ts'
import type { GateActivation, GatedInputs, GatedOffsets } from './operands/gatedOperands.ts'
import { expectColumns } from './operands/shapes.ts'

export const gatedBackwardKernel = defineKernel({
  name: 'gated_backward',
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

/** Inputs as the forward kernel read them, `dy` [rows, ≥ columns]; writes 2·columns of `dgate_up` [rows, ≥ 2·columns]. */
export interface GatedBackwardTensors extends GatedInputs {
  readonly dy: Tensor
  readonly dgate_up: Tensor
}

/**
 * Gradient of `y = f(g) · p`, `g = gate + bias + scale·u·B_gate`, `p` likewise, with respect to g and p:
 * `dg = dy·p·s·(1 + g·(1 − s)·dz)`, `dp = dy·g·s`, `s = 1 / (1 + exp(−z))`; `z = g` for SiLU,
 * `z = 2·√(2/π)·(g + 0.044715·g³)` for GELU.
 *
 * Reference: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6; Hendrycks & Gimpel, "Gaussian Error Linear Units",
 * 2016, §2; HyCoRA, eq. 7.
 *
 * @throws HycoraError `shape-mismatch` when a shape differs from that of the operands.
 */
export function gatedBackward(
  device: GPUDevice,
  activation: GateActivation,
  adapter: AdapterBinding,
  tensors: GatedBackwardTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  const shared = gatedValues(tensors, adapter, bOffsets)
  const values = {
    ...shared,
    dy_stride: expectColumns('dy', tensors.dy, shared.columns),
    dgate_up_stride: expectColumns('dgate_up', tensors.dgate_up, 2 * shared.columns),
  }
  const plan = gatedPlan(shared.columns, activation)
  return bindKernel(device, gatedBackwardKernel, { ...tensors, b: adapter.b }, values, plan)
}
