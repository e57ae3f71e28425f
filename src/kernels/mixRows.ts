import code from '../../shaders/mix_rows.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const mixRowsKernel = defineKernel({
  name: 'mix_rows',
  code,
  uniforms: { columns: 'u32', terms: 'u32' },
  bindings: ['x', 'sources', 'weights', 'slots', 'y'],
})

const WORKGROUP_SIZE = 128

/**
 * Weighted sums of rows, each to its own place: `y[slots[b]] = keep + Σ_t weights[b, t] · x[sources[b, t]]`, where keep
 * is what y holds with `accumulate`, else 0. A row of weight 1 is copied exactly.
 *
 * @param tensors `x` [sources, columns], `sources` u32 [blocks, terms], `weights` [blocks, terms], `slots` u32 [blocks];
 * writes the named rows of `y` [slots, columns]. The dispatch's `rows` are the blocks.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function mixRows(
  device: GPUDevice,
  tensors: {
    readonly x: Tensor
    readonly sources: Tensor
    readonly weights: Tensor
    readonly slots: Tensor
    readonly y: Tensor
  },
  { accumulate }: { readonly accumulate: boolean },
): Promise<Dispatch> {
  const { x, sources, weights, slots, y } = tensors
  const [, columns = 0] = x.shape
  const blocks = sizeOf(slots.shape)
  const terms = sizeOf(sources.shape) / blocks
  check(
    x.shape.length === 2 && y.shape.at(-1) === columns && y.shape.length === 2,
    'shape-mismatch',
    () =>
      `mix_rows: x [${x.shape.join(', ')}] and y [${y.shape.join(', ')}], expected matrices of equal columns`,
  )
  check(
    Number.isInteger(terms) && sizeOf(weights.shape) === sizeOf(sources.shape),
    'shape-mismatch',
    () =>
      `mix_rows: sources [${sources.shape.join(', ')}], weights [${weights.shape.join(', ')}] and slots ` +
      `[${slots.shape.join(', ')}], expected [blocks, terms] twice and [blocks]`,
  )
  const groups = Math.min(65_535, Math.ceil(columns / WORKGROUP_SIZE))
  return bindKernel(
    device,
    mixRowsKernel,
    tensors,
    { columns, terms },
    { overrides: { ACCUMULATE: Number(accumulate) }, workgroups: (count) => [groups, count, 1] },
  )
}
