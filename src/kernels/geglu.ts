import code from '../../shaders/geglu.wgsl?raw'
import { defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { bindGated, gatedForm } from './operands/gatedOperands.ts'
import type { GatedTensors, GatedOffsets } from './operands/gatedOperands.ts'

export const gegluKernel = defineKernel({ name: 'geglu', code, ...gatedForm })

/**
 * Gated activation with bias and adapter: `y = gelu(gate + …) · (up + …)`,
 * `gelu(g) = ½·g·(1 + tanh(√(2/π)·(g + 0.044715·g³)))`.
 *
 * Reference: Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016, §2; Shazeer, "GLU Variants Improve Transformer", 2020,
 * eq. 6; HyCoRA, eq. 7.
 *
 * @throws HycoraError `shape-mismatch` when a shape differs from that of the operands.
 */
export function geglu(
  device: GPUDevice,
  adapter: AdapterBinding,
  tensors: GatedTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  return bindGated(device, gegluKernel, adapter, tensors, bOffsets)
}
