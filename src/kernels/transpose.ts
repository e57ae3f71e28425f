import code from '../../shaders/transpose.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const transposeKernel = defineKernel({
  name: 'transpose',
  code,
  uniforms: {
    in_features: 'u32',
    x_columns: 'u32',
    first_column: 'u32',
    out: 'u32',
    first_out: 'u32',
    row_words: 'u32',
  },
  bindings: ['x', 'y'],
})

/**
 * Transposes columns of a stored matrix into zero-padded rows: `y[firstOut + n, k] = x[k, firstColumn + n]`.
 *
 * @param tensors `x` [inFeatures, xColumns] f32 or packed f16; writes `y` [≥ firstOut + out, rowWords] words.
 */
export function transpose(
  device: GPUDevice,
  tensors: { readonly x: Tensor; readonly y: Tensor },
  shape: {
    readonly inFeatures: number
    readonly xColumns: number
    readonly firstColumn: number
    readonly out: number
    readonly firstOut: number
    readonly rowWords: number
    readonly isHalf: boolean
  },
): Promise<Dispatch> {
  return bindKernel(
    device,
    transposeKernel,
    tensors,
    {
      in_features: shape.inFeatures,
      x_columns: shape.xColumns,
      first_column: shape.firstColumn,
      out: shape.out,
      first_out: shape.firstOut,
      row_words: shape.rowWords,
    },
    {
      workgroups: () => [
        Math.ceil(shape.rowWords / 64),
        Math.min(shape.out, 32768),
        Math.ceil(shape.out / 32768),
      ],
      overrides: { HALF: shape.isHalf ? 1 : 0 },
    },
  )
}
