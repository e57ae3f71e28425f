import code from '../../shaders/scatter_add_rows.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectColumns } from './operands/shapes.ts'

export const scatterAddRowsKernel = defineKernel({
  name: 'scatter_add_rows',
  code,
  uniforms: { columns: 'u32', x_stride: 'u32', y_stride: 'u32' },
  bindings: ['x', 'index', 'y'],
})

const WORKGROUP_SIZE = 64

/**
 * Adds rows to others by an index list in which none stands twice: `y[index[i], c] += x[i, c]`. The gradient of
 * `gatherRows`. The dispatch's `rows` are the entries of the list.
 *
 * @param tensors `x` [rows, ≥ columns], `index` u32 [rows]; adds to `y` [targets, ≥ columns].
 * @throws HycoraError `shape-mismatch` when a matrix is too narrow.
 */
export async function scatterAddRows(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly index: Tensor; readonly y: Tensor },
  { columns }: { readonly columns: number },
): Promise<Dispatch> {
  const uniforms = {
    columns,
    x_stride: expectColumns('x', tensors.x, columns),
    y_stride: expectColumns('y', tensors.y, columns),
  }
  return bindKernel(device, scatterAddRowsKernel, tensors, uniforms, {
    workgroups: (rows) => [Math.ceil(columns / WORKGROUP_SIZE), rows, 1],
  })
}
