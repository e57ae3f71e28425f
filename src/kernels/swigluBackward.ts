import code from '../../shaders/swiglu_backward.wgsl?raw'
import { defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { bindGatedBackward, gatedBackwardForm } from './operands/gatedOperands.ts'
import type { GatedBackwardTensors, GatedOffsets } from './operands/gatedOperands.ts'

export const swigluBackwardKernel = defineKernel({ name: 'swiglu_backward', code, ...gatedBackwardForm })

/**
 * Gradient of `y = silu(g) · p`, `g = gate + bias + scale·u·B_gate`, `p` likewise, with respect to g and p:
 * `dg = dy·p·s·(1 + g·(1 − s))`, `dp = dy·g·s`, `s = 1 / (1 + exp(−g))`.
 *
 * Reference: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6; HyCoRA, eq. 7.
 *
 * @throws HycoraError `shape-mismatch` when a shape differs from that of the operands.
 */
export function swigluBackward(
  device: GPUDevice,
  adapter: AdapterBinding,
  tensors: GatedBackwardTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  return bindGatedBackward(device, swigluBackwardKernel, adapter, tensors, bOffsets)
}
