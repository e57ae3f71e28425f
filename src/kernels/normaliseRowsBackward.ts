import code from '../../shaders/normalise_rows_backward.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectMatrix } from './operands/shapes.ts'

export const normaliseRowsBackwardKernel = defineKernel({
  name: 'normalise_rows_backward',
  code,
  uniforms: { columns: 'u32' },
  bindings: ['dy', 'x', 'dx'],
})

/**
 * Gradient of `normaliseRows`: `dx[r] = (dy[r] − y[r] · (y[r]·dy[r])) / ‖x[r]‖`, `y[r] = x[r] / ‖x[r]‖`.
 *
 * @param tensors `dy` and `x` [rows, columns]; writes `dx` [rows, columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function normaliseRowsBackward(
  device: GPUDevice,
  tensors: { readonly dy: Tensor; readonly x: Tensor; readonly dx: Tensor },
): Promise<Dispatch> {
  const [rows, columns] = expectMatrix('x', tensors.x)
  expectMatrix('dy', tensors.dy, rows, columns)
  expectMatrix('dx', tensors.dx, rows, columns)
  return bindKernel(
    device,
    normaliseRowsBackwardKernel,
    tensors,
    { columns },
    { workgroups: (count) => [count, 1, 1] },
  )
}
