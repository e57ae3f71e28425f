import code from '../../shaders/layer_norm_backward_weight.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const layerNormBackwardWeightKernel = defineKernel({
  name: 'layer_norm_backward_weight',
  code,
  uniforms: { columns: 'u32', block_rows: 'u32' },
  bindings: ['dy', 'x', 'stats', 'count', 'dgain', 'dbias'],
})

const WIDTH = 16

/**
 * Gradients of `layerNorm` with respect to gain and bias, added to what is there:
 * `dgain[c] += Σ_r dy[r, c] · s_r · (x[r, c] − mean_r)`, `dbias[c] += Σ_r dy[r, c]` over the first `count · blockRows` rows,
 * whatever the dispatch's `rows`.
 *
 * @param tensors `dy` and `x` [rows, columns], `stats` [rows, 2] from `layerNormBackward`, `count` u32 [1]; adds to `dgain`
 * and `dbias` [columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function layerNormBackwardWeight(
  device: GPUDevice,
  tensors: {
    readonly dy: Tensor
    readonly x: Tensor
    readonly stats: Tensor
    readonly count: Tensor
    readonly dgain: Tensor
    readonly dbias: Tensor
  },
  { blockRows }: { readonly blockRows: number },
): Promise<Dispatch> {
  const { dy, x, stats, count, dgain, dbias } = tensors
  const columns = sizeOf(dgain.shape)
  const rows = sizeOf(x.shape) / columns
  check(
    x.shape.at(-1) === columns &&
      sizeOf(dy.shape) === rows * columns &&
      sizeOf(dbias.shape) === columns &&
      sizeOf(stats.shape) === rows * 2 &&
      sizeOf(count.shape) === 1,
    'shape-mismatch',
    () =>
      `layer_norm_backward_weight: dy [${dy.shape.join(', ')}], x [${x.shape.join(', ')}], stats [${stats.shape.join(', ')}], ` +
      `count [${count.shape.join(', ')}], dgain [${dgain.shape.join(', ')}] and dbias [${dbias.shape.join(', ')}], ` +
      'expected [rows, columns] twice, [rows, 2], [1] and [columns] twice',
  )
  return bindKernel(
    device,
    layerNormBackwardWeightKernel,
    tensors,
    { columns, block_rows: blockRows },
    { workgroups: () => [Math.ceil(columns / WIDTH), 1, 1] },
  )
}
