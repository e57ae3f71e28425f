import code from '../../shaders/normalise_rows.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectMatrix } from './operands/shapes.ts'

export const normaliseRowsKernel = defineKernel({
  name: 'normalise_rows',
  code,
  uniforms: { columns: 'u32' },
  bindings: ['x', 'y'],
})

/**
 * Rows scaled to length 1: `y[r, c] = x[r, c] / max(‖x[r]‖, 1e-12)`.
 *
 * @param tensors `x` [rows, columns]; writes `y` [rows, columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function normaliseRows(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly y: Tensor },
): Promise<Dispatch> {
  const [rows, columns] = expectMatrix('x', tensors.x)
  expectMatrix('y', tensors.y, rows, columns)
  return bindKernel(
    device,
    normaliseRowsKernel,
    tensors,
    { columns },
    { workgroups: (count) => [count, 1, 1] },
  )
}
