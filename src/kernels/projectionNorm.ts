import code from '../../shaders/projection_norm.wgsl?raw'
import { check } from '../core/errors.ts'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { lanesOfRow } from './operands/rowLanes.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

export const projectionNormKernel = defineKernel({
  name: 'projection_norm',
  code,
  uniforms: {
    heads: 'u32',
    kv_heads: 'u32',
    head_dim: 'u32',
    query_group: 'u32',
    key_group: 'u32',
    qkv_stride: 'u32',
    y_stride: 'u32',
    rank: 'u32',
    b_q: 'u32',
    b_k: 'u32',
    b_v: 'u32',
    b_slot_stride: 'u32',
    epsilon: 'f32',
  },
  bindings: ['step', 'qkv', 'bias', 'b', 'gain', 'y'],
})

/** Heads of a projection's output, and how many of them a norm takes together. */
export interface ProjectionNormShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Heads of queries, and of keys, that share a norm; they divide all of them. */
  readonly queryGroup: number
  readonly keyGroup: number
  readonly epsilon: number
}

/** Groups of heads of a row: of queries, keys and values. */
export function groupsOfRow({ heads, kvHeads, queryGroup, keyGroup }: ProjectionNormShape): number {
  const groups = [heads / queryGroup, kvHeads / keyGroup] as const
  check(
    groups.every((count) => Number.isInteger(count)),
    'shape-mismatch',
    () => `norms take ${queryGroup} of ${heads} and ${keyGroup} of ${kvHeads} heads, expected divisors`,
  )
  return groups[0] + 2 * groups[1]
}

/**
 * Queries, keys and values with bias and adapter, queries and keys behind an RMS norm of each group of heads:
 * `y = gain · p / √(mean(p²) + epsilon)`, `p = qkv + bias + scale·u·B`; of values `y = p`. An output that is no queries, keys
 * and values is one head without `kvHeads`.
 *
 * Reference: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, eq. 4; HyCoRA, eq. 7.
 *
 * @param tensors `qkv` [rows, ≥ (heads + 2·kvHeads)·headDim and rank for each part], `bias` [(heads + 2·kvHeads)·headDim],
 *   `gain` [(queryGroup + keyGroup)·headDim], a group of queries first, or without keys [queryGroup·headDim]; writes the
 *   first (heads + 2·kvHeads)·headDim columns of `y`.
 * @param bOffsets where B of q, k and v lies in a slot, in floats.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above.
 */
export async function projectionNorm(
  { device, tuning }: TunedDevice,
  shape: ProjectionNormShape,
  adapter: AdapterBinding,
  tensors: {
    readonly step: Tensor
    readonly qkv: Tensor
    readonly bias: Tensor
    readonly gain: Tensor
    readonly y: Tensor
  },
  bOffsets: { readonly q: number; readonly k: number; readonly v: number },
): Promise<Dispatch> {
  const { workgroups, uniforms } = projectionNormGrid(shape, adapter, tensors, bOffsets)
  return bindKernel(
    device,
    projectionNormKernel,
    { ...tensors, b: adapter.b },
    {
      ...uniforms,
      y_stride: expectColumns('y', tensors.y, (shape.heads + 2 * shape.kvHeads) * shape.headDim),
    },
    { workgroups, overrides: { WORKGROUP_SIZE: lanesOfRow(widestGroup(shape), tuning.normLanes) } },
  )
}

/** Columns of the widest group that is normalised by itself. */
export function widestGroup({ queryGroup, keyGroup, headDim }: ProjectionNormShape): number {
  return Math.max(queryGroup, keyGroup) * headDim
}

/** What both directions have in common. @throws HycoraError `shape-mismatch` as `projectionNorm`. */
export function projectionNormGrid(
  shape: ProjectionNormShape,
  adapter: AdapterBinding,
  tensors: { readonly qkv: Tensor; readonly bias: Tensor; readonly gain: Tensor },
  bOffsets: { readonly q: number; readonly k: number; readonly v: number },
) {
  const { heads, kvHeads, headDim, queryGroup, keyGroup, epsilon } = shape
  const groups = groupsOfRow(shape)
  const width = (heads + 2 * kvHeads) * headDim
  expectLength('bias', tensors.bias, width)
  expectLength('gain', tensors.gain, (queryGroup + (kvHeads > 0 ? keyGroup : 0)) * headDim)
  const parts = kvHeads > 0 ? 3 : 1
  return {
    workgroups: (rows: number) => [groups, ...exactGrid(rows)] as const,
    uniforms: {
      heads,
      kv_heads: kvHeads,
      head_dim: headDim,
      query_group: queryGroup,
      key_group: keyGroup,
      qkv_stride: expectColumns('qkv', tensors.qkv, width + parts * adapter.paddedRank),
      rank: adapter.paddedRank,
      b_q: bOffsets.q,
      b_k: bOffsets.k,
      b_v: bOffsets.v,
      b_slot_stride: adapter.bSlotStride,
      epsilon,
    },
  }
}
