import code from '../../shaders/rms_norm_backward.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

export const rmsNormBackwardKernel = defineKernel({
  name: 'rms_norm_backward',
  code,
  uniforms: { columns: 'u32', dy_stride: 'u32', x_stride: 'u32', dx_stride: 'u32', epsilon: 'f32' },
  bindings: ['dy', 'x', 'gain', 'dx'],
})

/**
 * Gradient of `y = gain · x / √(mean(x²) + epsilon)` with respect to x:
 * `dx = s·gain·dy − s³/columns·x·Σ_i dy[i]·gain[i]·x[i]`, `s = 1/√(mean(x²) + epsilon)`; added to `dx` with `accumulate`,
 * where the residual stream goes on beside the norm, else written. Without `gain` there was no norm: dx is dy, as wide as x.
 *
 * Reference: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, eq. 4.
 *
 * @param tensors `dy` [rows, ≥ columns]; `x` [rows, ≥ columns], what was normalised; `gain` [columns]; `dx` [rows, ≥ columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export function rmsNormBackward(
  device: GPUDevice,
  tensors: { readonly dy: Tensor; readonly x: Tensor; readonly gain: Tensor | null; readonly dx: Tensor },
  { epsilon, accumulate }: { readonly epsilon: number; readonly accumulate: boolean },
): Promise<Dispatch> {
  const gain = tensors.gain ?? tensors.x
  const columns = tensors.gain ? (gain.shape[0] ?? 0) : (tensors.x.shape[1] ?? 0)
  if (tensors.gain) expectLength('gain', gain, columns)
  return bindKernel(
    device,
    rmsNormBackwardKernel,
    { ...tensors, gain },
    {
      columns,
      dy_stride: expectColumns('dy', tensors.dy, columns),
      x_stride: expectColumns('x', tensors.x, columns),
      dx_stride: expectColumns('dx', tensors.dx, columns),
      epsilon,
    },
    {
      workgroups: (rows) => [...exactGrid(rows), 1],
      overrides: { ADD: accumulate ? 1 : 0, NORM: tensors.gain ? 1 : 0 },
    },
  )
}
