import code from '../../shaders/layer_norm_backward.wgsl?raw'
import { check } from '../core/errors.ts'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const layerNormBackwardKernel = defineKernel({
  name: 'layer_norm_backward',
  code,
  uniforms: { columns: 'u32', accumulate: 'u32', epsilon: 'f32' },
  bindings: ['dy', 'x', 'gain', 'dx', 'stats'],
})

/**
 * Gradient of `layerNorm` with respect to x: `dx = keep + s · (d − mean(d) − n · mean(d · n))`, `d = gain · dy`,
 * `n = s · (x − mean(x))`, `s = 1 / sqrt(var(x) + epsilon)`; keep is what dx holds with `accumulate`, where a residual
 * stream goes on beside the norm, else 0.
 *
 * Reference: Ba, Kiros & Hinton, "Layer Normalization", 2016, eq. 4.
 *
 * @param tensors `dy` and `x` [rows, columns], `gain` [columns]; `dx` [rows, columns]; writes `stats` [rows, 2], each row's
 * mean and s, which `layerNormBackwardWeight` reads.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above, or `rows` exceeds one grid dimension.
 */
export async function layerNormBackward(
  device: GPUDevice,
  tensors: {
    readonly dy: Tensor
    readonly x: Tensor
    readonly gain: Tensor
    readonly dx: Tensor
    readonly stats: Tensor
  },
  { epsilon, accumulate }: { readonly epsilon: number; readonly accumulate: boolean },
): Promise<Dispatch> {
  const { dy, x, gain, dx, stats } = tensors
  const columns = sizeOf(gain.shape)
  const size = sizeOf(x.shape)
  const rows = size / columns
  check(
    x.shape.at(-1) === columns && sizeOf(dy.shape) === size && sizeOf(dx.shape) === size,
    'shape-mismatch',
    () =>
      `layer_norm_backward: dy [${dy.shape.join(', ')}], x [${x.shape.join(', ')}], gain [${gain.shape.join(', ')}] and dx ` +
      `[${dx.shape.join(', ')}], expected [rows, columns] twice, [columns] and [rows, columns]`,
  )
  check(
    sizeOf(stats.shape) === rows * 2 && rows <= 65_535,
    'shape-mismatch',
    () =>
      `layer_norm_backward: stats [${stats.shape.join(', ')}] for ${rows} rows, expected [rows, 2] and ≤ 65535`,
  )
  return bindKernel(
    device,
    layerNormBackwardKernel,
    tensors,
    { columns, accumulate: Number(accumulate), epsilon },
    { workgroups: (count) => [...exactGrid(count), 1] },
  )
}
