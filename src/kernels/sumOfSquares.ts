import code from '../../shaders/sum_of_squares.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const sumOfSquaresKernel = defineKernel({
  name: 'sum_of_squares',
  code,
  uniforms: { first: 'u32', length: 'u32', groups: 'u32' },
  bindings: ['x', 'partials'],
})

/** A run of elements of a flat tensor. */
export interface Range {
  readonly first: number
  readonly length: number
}

/**
 * Parts of `Σ x²` over a range, in a fixed order: `partials[w] = (Σ x², count of values that are not finite or ≥ 2⁵⁰)`.
 * Unusable values are counted and left out of the sum; `gradientNorm` puts the parts together.
 *
 * @param tensors `x`, flat; writes `partials` [parts, 2].
 * @throws HycoraError `shape-mismatch` when the range leaves x or partials has another shape.
 */
export async function sumOfSquares(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly partials: Tensor },
  { first, length }: Range,
): Promise<Dispatch> {
  const { x, partials } = tensors
  const [groups = 0, pair] = partials.shape
  check(
    first + length <= sizeOf(x.shape) && pair === 2 && groups > 0,
    'shape-mismatch',
    () =>
      `sum_of_squares: x has ${sizeOf(x.shape)} elements, the range ends at ${first + length}; partials ` +
      `[${partials.shape.join(', ')}], expected [parts, 2]`,
  )
  return bindKernel(
    device,
    sumOfSquaresKernel,
    tensors,
    { first, length, groups },
    { workgroups: () => [groups, 1, 1] },
  )
}
