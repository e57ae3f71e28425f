import code from '../../shaders/swiglu.wgsl?raw'
import { defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { bindGated, gatedForm } from './operands/gatedOperands.ts'
import type { GatedTensors, GatedOffsets } from './operands/gatedOperands.ts'

export const swigluKernel = defineKernel({ name: 'swiglu', code, ...gatedForm })

/**
 * Gated activation with bias and adapter: `y = silu(gate + …) · (up + …)`, `silu(g) = g / (1 + exp(−g))`.
 *
 * Reference: Shazeer, "GLU Variants Improve Transformer", 2020, eq. 6; HyCoRA, eq. 7.
 *
 * @throws HycoraError `shape-mismatch` when a shape differs from that of the operands.
 */
export function swiglu(
  device: GPUDevice,
  adapter: AdapterBinding,
  tensors: GatedTensors,
  bOffsets: GatedOffsets,
): Promise<Dispatch> {
  return bindGated(device, swigluKernel, adapter, tensors, bOffsets)
}
