import code from '../../shaders/gated.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { gatedPlan, gatedValues } from './operands/gatedOperands.ts'
import type { GateActivation, GatedInputs, GatedOffsets } from './operands/gatedOperands.ts'
import { expectColumns } from './operands/shapes.ts'

export const gatedKernel = defineKernel({
  name: 'gated',
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

/** Writes `y` [rows, ≥ columns]. */
export interface GatedTensors extends GatedInputs {
  readonly y: Tensor
}

/**
 * Gated activation with bias and adapter: `y = f(gate + …) · (up + …)`, `silu(g) = g / (1 + exp(−g))`,
 * `gelu(g) = ½·g·(1 + tanh(√(2/π)·(g + 0.044715·g³)))`.
 *
 * Reference: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6; Hendrycks & Gimpel, "Gaussian Error Linear Units",
 * 2016, §2; HyCoRA, eq. 7.
 *
 * @throws HycoraError `shape-mismatch` when a shape differs from that of the operands.
 */
export function gated(
  device: GPUDevice,
  activation: GateActivation,
  adapter: AdapterBinding,
  tensors: GatedTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  const shared = gatedValues(tensors, adapter, bOffsets)
  const values = { ...shared, y_stride: expectColumns('y', tensors.y, shared.columns) }
  const plan = gatedPlan(shared.columns, activation)
  return bindKernel(device, gatedKernel, { ...tensors, b: adapter.b }, values, plan)
}
