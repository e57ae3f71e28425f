import code from '../../shaders/cross_entropy.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectLength } from './operands/shapes.ts'

export const crossEntropyKernel = defineKernel({
  name: 'cross_entropy',
  code,
  uniforms: { vocabulary: 'u32' },
  bindings: ['targets', 'weights', 'logits', 'loss'],
})

/**
 * Weighted cross entropy of each row, `loss[r] = weight[r]·(log Σ_v e^{l[r, v]} − l[r, target[r]])`, and in place of the
 * logits its gradient `weight[r]·(softmax(l[r])[v] − [v = target[r]])`. A row of weight 0 gives zeros.
 *
 * @param tensors `targets` u32 [rows], `weights` [rows]; `logits` [rows, vocabulary], read and overwritten; writes `loss`
 *   [rows].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export function crossEntropy(
  device: GPUDevice,
  tensors: {
    readonly targets: Tensor
    readonly weights: Tensor
    readonly logits: Tensor
    readonly loss: Tensor
  },
): Promise<Dispatch> {
  const { shape } = tensors.logits
  const [rows = 0, vocabulary = 0] = shape
  check(
    shape.length === 2 && vocabulary > 0,
    'shape-mismatch',
    () => `logits has shape [${shape.join(', ')}], expected [rows, vocabulary]`,
  )
  expectLength('targets', tensors.targets, rows)
  expectLength('weights', tensors.weights, rows)
  expectLength('loss', tensors.loss, rows)
  return bindKernel(
    device,
    crossEntropyKernel,
    tensors,
    { vocabulary },
    { workgroups: (count) => [count, 1, 1] },
  )
}
