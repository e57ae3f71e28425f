import code from '../../shaders/rotary_backward.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import { rotationUniforms } from './rotaryAppend.ts'
import type { AttentionShape, Rotation } from './rotaryAppend.ts'
import { expectColumns } from './operands/shapes.ts'

export const rotaryBackwardKernel = defineKernel({
  name: 'rotary_backward',
  code,
  uniforms: {
    heads: 'u32',
    kv_heads: 'u32',
    head_dim: 'u32',
    rotary_dim: 'u32',
    interleaved: 'u32',
    capacity: 'u32',
    dqkv_stride: 'u32',
  },
  bindings: ['step', 'dquery', 'dcache', 'angles', 'dqkv'],
})

/**
 * Gradient of queries, keys and values before `rotaryAppend`, from that of its query and cache: queries and keys are
 * turned back by their angles, values pass.
 *
 * Reference: Su et al., "RoFormer", 2021, eq. 34.
 *
 * @param tensors `dquery` [rows, heads·headDim], `dcache` [sequences, 2, kvHeads, capacity, headDim], `angles`
 *   [≥ capacity, rotation.dim / 2, 2]; writes the first (heads + 2·kvHeads)·headDim columns of `dqkv`.
 * @throws HycoraError `shape-mismatch` when a matrix is too narrow.
 */
export async function rotaryBackward(
  device: GPUDevice,
  shape: AttentionShape & { readonly rotation: Rotation },
  tensors: {
    readonly step: Tensor
    readonly dquery: Tensor
    readonly dcache: Tensor
    readonly angles: Tensor
    readonly dqkv: Tensor
  },
): Promise<Dispatch> {
  const { heads, kvHeads, headDim, capacity } = shape
  const width = (heads + 2 * kvHeads) * headDim
  return bindKernel(
    device,
    rotaryBackwardKernel,
    tensors,
    {
      heads,
      kv_heads: kvHeads,
      head_dim: headDim,
      ...rotationUniforms(shape.rotation, headDim, tensors.angles),
      capacity,
      dqkv_stride: expectColumns('dqkv', tensors.dqkv, width),
    },
    { workgroups: (rows) => [heads + 2 * kvHeads, ...exactGrid(rows)] },
  )
}
