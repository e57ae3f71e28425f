import code from '../../shaders/projection_norm_backward.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { lanesOfRow } from './operands/rowLanes.ts'
import { expectColumns } from './operands/shapes.ts'
import { projectionNormGrid, widestGroup } from './projectionNorm.ts'
import type { ProjectionNormShape } from './projectionNorm.ts'

export const projectionNormBackwardKernel = defineKernel({
  name: 'projection_norm_backward',
  code,
  uniforms: {
    heads: 'u32',
    kv_heads: 'u32',
    head_dim: 'u32',
    query_group: 'u32',
    key_group: 'u32',
    qkv_stride: 'u32',
    dy_stride: 'u32',
    dqkv_stride: 'u32',
    rank: 'u32',
    b_q: 'u32',
    b_k: 'u32',
    b_v: 'u32',
    b_slot_stride: 'u32',
    epsilon: 'f32',
  },
  bindings: ['step', 'qkv', 'bias', 'b', 'gain', 'dy', 'dqkv'],
})

/**
 * Gradient of queries, keys and values before `projectionNorm`, from that of its output, what was normalised computed anew:
 * `dqkv = s·gain·dy − s³·p·mean(dy·gain·p)`, `s = 1/√(mean(p²) + epsilon)`, over the columns of a group; of values `dqkv = dy`.
 *
 * Reference: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, eq. 4.
 *
 * @param tensors as `projectionNorm` has them; `dy` [rows, ≥ (heads + 2·kvHeads)·headDim]; writes as many columns of `dqkv`.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function projectionNormBackward(
  { device, tuning }: TunedDevice,
  shape: ProjectionNormShape,
  adapter: AdapterBinding,
  tensors: {
    readonly step: Tensor
    readonly qkv: Tensor
    readonly bias: Tensor
    readonly gain: Tensor
    readonly dy: Tensor
    readonly dqkv: Tensor
  },
  bOffsets: { readonly q: number; readonly k: number; readonly v: number },
): Promise<Dispatch> {
  const { workgroups, uniforms } = projectionNormGrid(shape, adapter, tensors, bOffsets)
  const width = (shape.heads + 2 * shape.kvHeads) * shape.headDim
  return bindKernel(
    device,
    projectionNormBackwardKernel,
    { ...tensors, b: adapter.b },
    {
      ...uniforms,
      dy_stride: expectColumns('dy', tensors.dy, width),
      dqkv_stride: expectColumns('dqkv', tensors.dqkv, width),
    },
    { workgroups, overrides: { WORKGROUP_SIZE: lanesOfRow(widestGroup(shape), tuning.normLanes) } },
  )
}
