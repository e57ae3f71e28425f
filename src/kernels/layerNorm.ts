import code from '../../shaders/layer_norm.wgsl?raw'
import { check } from '../core/errors.ts'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const layerNormKernel = defineKernel({
  name: 'layer_norm',
  code,
  uniforms: { columns: 'u32', epsilon: 'f32' },
  bindings: ['x', 'gain', 'bias', 'y'],
})

/**
 * Layer normalisation of each row, with the biased variance:
 * `y[r, c] = gain[c] · (x[r, c] − mean_c x[r, c]) / sqrt(var_c x[r, c] + epsilon) + bias[c]`.
 *
 * Reference: Ba, Kiros & Hinton, "Layer Normalization", 2016, eq. 4.
 *
 * @param tensors `x` [rows, columns], `gain` and `bias` [columns]; writes `y` [rows, columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above, or `rows` exceeds one grid dimension.
 */
export async function layerNorm(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly gain: Tensor; readonly bias: Tensor; readonly y: Tensor },
  { epsilon }: { readonly epsilon: number },
): Promise<Dispatch> {
  const { x, gain, bias, y } = tensors
  const columns = sizeOf(gain.shape)
  const rows = sizeOf(x.shape) / columns
  check(
    x.shape.at(-1) === columns && sizeOf(bias.shape) === columns && sizeOf(y.shape) === sizeOf(x.shape),
    'shape-mismatch',
    () =>
      `layer_norm: x [${x.shape.join(', ')}], gain [${gain.shape.join(', ')}], bias [${bias.shape.join(', ')}] and y ` +
      `[${y.shape.join(', ')}], expected [rows, columns], [columns], [columns] and [rows, columns]`,
  )
  check(rows <= 65_535, 'shape-mismatch', () => `layer_norm: x has ${rows} rows, at most 65535 are possible`)
  return bindKernel(
    device,
    layerNormKernel,
    tensors,
    { columns, epsilon },
    { workgroups: (count) => [...exactGrid(count), 1] },
  )
}
