import code from '../../shaders/rotary_append.wgsl?raw'
import { check } from '../core/errors.ts'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { AdapterBinding } from './operands/adapterBinding.ts'
import { holdsHalves } from './operands/cacheForm.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

export const rotaryAppendKernel = defineKernel({
  name: 'rotary_append',
  code,
  uniforms: {
    heads: 'u32',
    kv_heads: 'u32',
    head_dim: 'u32',
    rotary_dim: 'u32',
    interleaved: 'u32',
    capacity: 'u32',
    qkv_stride: 'u32',
    rank: 'u32',
    b_q: 'u32',
    b_k: 'u32',
    b_v: 'u32',
    b_slot_stride: 'u32',
  },
  bindings: ['step', 'qkv', 'bias', 'b', 'angles', 'query', 'cache'],
})

const WORKGROUP_SIZE = 32
/** Columns of a lane. */
const EACH = 4

export interface AttentionShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Positions that the cache holds. */
  readonly capacity: number
  /** Of queries times keys; 1/√headDim where left out. */
  readonly scoreScale?: number
  /** How many positions back a row sees, its own included; all where left out. */
  readonly window?: number
}

/** Which dimensions of a head are rotated, two by two. */
export interface Rotation {
  /** The first so many, an even number; 0 for none. */
  readonly dim: number
  /** Whether neighbours are pairs; else a dimension and the one half of `dim` behind it. */
  readonly isInterleaved: boolean
}

/** Whether what a lane turns fills whole words of two halves. */
export function fillsWords({ dim, isInterleaved }: Rotation): boolean {
  return isInterleaved || dim % 4 === 0
}

/** The uniforms of a rotation. @throws HycoraError `shape-mismatch` for one that does not fit the heads or the angles. */
export function rotationUniforms({ dim, isInterleaved }: Rotation, headDim: number, angles: Tensor) {
  const [, pairs] = angles.shape
  check(
    dim % 2 === 0 && dim <= headDim && (dim === 0 || pairs === dim / 2),
    'shape-mismatch',
    () => `${dim} of ${headDim} dimensions of a head are rotated by ${pairs} angles, expected as many pairs`,
  )
  return { rotary_dim: dim, interleaved: isInterleaved ? 1 : 0 }
}

/**
 * Queries, keys and values of new tokens: adds bias and adapter, rotates queries and keys by their positions, appends keys
 * and values to the cache in place.
 *
 * Reference: Su et al., "RoFormer", 2021, eq. 34; HyCoRA, eq. 7.
 *
 * @param tensors `qkv` [rows, ≥ (heads + 2·kvHeads)·headDim + 3·rank], `bias` [(heads + 2·kvHeads)·headDim], `angles`
 *   [≥ capacity, rotation.dim / 2, 2]; writes `query` [rows, heads·headDim] and `cache`
 *   [sequences, 2, kvHeads, capacity, headDim], or with headDim / 2 words of halves, where larger numbers become the largest.
 * @param bOffsets where B of q, k and v lies in a slot, in floats.
 * @throws HycoraError `shape-mismatch` when a tensor's shape differs from the above, heads are no multiple of 4 wide, or
 *   pairs of dimensions fill no whole words.
 */
export function rotaryAppend(
  device: GPUDevice,
  shape: AttentionShape & { readonly rotation: Rotation },
  adapter: AdapterBinding,
  tensors: {
    readonly step: Tensor
    readonly qkv: Tensor
    readonly bias: Tensor
    readonly angles: Tensor
    readonly query: Tensor
    readonly cache: Tensor
  },
  bOffsets: { readonly q: number; readonly k: number; readonly v: number },
): Promise<Dispatch> {
  const { heads, kvHeads, headDim, capacity } = shape
  check(
    headDim % EACH === 0,
    'shape-mismatch',
    () => `heads are ${headDim} wide, expected a multiple of ${EACH}`,
  )
  const isOfHalves = holdsHalves(tensors.cache, headDim)
  check(
    !isOfHalves || fillsWords(shape.rotation),
    'shape-mismatch',
    () => `${shape.rotation.dim} rotated dimensions fill no whole words of halves, expected a multiple of 4`,
  )
  const width = (heads + 2 * kvHeads) * headDim
  const qkvStride = expectColumns('qkv', tensors.qkv, width + 3 * adapter.paddedRank)
  expectLength('bias', tensors.bias, width)
  return bindKernel(
    device,
    rotaryAppendKernel,
    { ...tensors, b: adapter.b },
    {
      heads,
      kv_heads: kvHeads,
      head_dim: headDim,
      ...rotationUniforms(shape.rotation, headDim, tensors.angles),
      capacity,
      qkv_stride: qkvStride,
      rank: adapter.paddedRank,
      b_q: bOffsets.q,
      b_k: bOffsets.k,
      b_v: bOffsets.v,
      b_slot_stride: adapter.bSlotStride,
    },
    {
      workgroups: (rows) => [Math.ceil(width / EACH / WORKGROUP_SIZE), ...exactGrid(rows)],
      overrides: { HALVES: Number(isOfHalves) },
    },
  )
}
