import code from '../../shaders/gradient_norm.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectLength } from './operands/shapes.ts'

export const gradientNormKernel = defineKernel({
  name: 'gradient_norm',
  code,
  uniforms: { groups: 'u32' },
  bindings: ['partials', 'settings', 'report'],
})

/**
 * The norm of all gradients from the parts of `sumOfSquares`, and the factor that clips it, `min(1, clip / (norm + 10⁻⁶))`,
 * or 1 where clip is 0.
 *
 * Reference: Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1.
 *
 * @param tensors `partials` [parts, 2], `settings` as `adamW` has them; writes `report` [4]: norm before clipping, factor,
 * how many values were unusable, 0.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function gradientNorm(
  device: GPUDevice,
  tensors: { readonly partials: Tensor; readonly settings: Tensor; readonly report: Tensor },
): Promise<Dispatch> {
  const [groups = 0, pair] = tensors.partials.shape
  check(
    pair === 2 && groups > 0,
    'shape-mismatch',
    () => `gradient_norm: partials [${tensors.partials.shape.join(', ')}], expected [parts, 2]`,
  )
  expectLength('report', tensors.report, 4)
  return bindKernel(device, gradientNormKernel, tensors, { groups }, { workgroups: () => [1, 1, 1] })
}
