import code from '../../shaders/geglu_backward.wgsl?raw'
import { defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { bindGatedBackward, gatedBackwardForm } from './operands/gatedOperands.ts'
import type { GatedBackwardTensors, GatedOffsets } from './operands/gatedOperands.ts'

export const gegluBackwardKernel = defineKernel({ name: 'geglu_backward', code, ...gatedBackwardForm })

/**
 * Gradient of `y = gelu(g) · p`, `g = gate + bias + scale·u·B_gate`, `p` likewise, with respect to g and p:
 * `dg = dy·p·s·(1 + g·(1 − s)·dz)`, `dp = dy·g·s`, `s = 1 / (1 + exp(−z))`, `z = 2·√(2/π)·(g + 0.044715·g³)`.
 *
 * Reference: Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016, §2; HyCoRA, eq. 7.
 *
 * @throws HycoraError `shape-mismatch` when a shape differs from that of the operands.
 */
export function gegluBackward(
  device: GPUDevice,
  adapter: AdapterBinding,
  tensors: GatedBackwardTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  return bindGatedBackward(device, gegluBackwardKernel, adapter, tensors, bOffsets)
}
