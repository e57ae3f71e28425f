import code from '../../shaders/gather_rows.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectColumns } from './operands/shapes.ts'

export const gatherRowsKernel = defineKernel({
  name: 'gather_rows',
  code,
  uniforms: { columns: 'u32', x_stride: 'u32', y_stride: 'u32' },
  bindings: ['x', 'index', 'y'],
})

const WORKGROUP_SIZE = 64

/**
 * Rows by an index list: `y[i, c] = x[index[i], c]`. The dispatch's `rows` are the entries of the list.
 *
 * @param tensors `x` [sources, ≥ columns], `index` u32 [rows]; writes `y` [rows, ≥ columns].
 * @throws HycoraError `shape-mismatch` when a matrix is too narrow.
 */
export async function gatherRows(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly index: Tensor; readonly y: Tensor },
  { columns }: { readonly columns: number },
): Promise<Dispatch> {
  const uniforms = {
    columns,
    x_stride: expectColumns('x', tensors.x, columns),
    y_stride: expectColumns('y', tensors.y, columns),
  }
  return bindKernel(device, gatherRowsKernel, tensors, uniforms, {
    workgroups: (rows) => [Math.ceil(columns / WORKGROUP_SIZE), rows, 1],
  })
}
