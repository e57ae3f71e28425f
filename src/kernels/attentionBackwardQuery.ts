import code from '../../shaders/attention_backward_query.wgsl?raw'
import directCode from '../../shaders/attention_backward_query_direct.wgsl?raw'
import { paddedGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { ALL_POSITIONS, directAttentionGrid } from './attention.ts'
import type { AttentionShape } from './rotaryAppend.ts'
import { expectColumns, expectVectors } from './operands/shapes.ts'

const uniforms = {
  heads: 'u32',
  kv_heads: 'u32',
  head_dim: 'u32',
  capacity: 'u32',
  y_stride: 'u32',
  dy_stride: 'u32',
  scale: 'f32',
  window: 'u32',
} as const
const bindings = ['step', 'query', 'cache', 'y', 'dy', 'dquery', 'stats'] as const

export const attentionBackwardQueryKernel = defineKernel({
  name: 'attention_backward_query',
  code,
  uniforms,
  bindings,
})

export const attentionBackwardQueryDirectKernel = defineKernel({
  name: 'attention_backward_query_direct',
  code: directCode,
  uniforms,
  bindings,
})

const TILE = 32

/**
 * Gradient of attention's queries, the softmax computed anew: with `P[r, p] = exp(scale·query[r, h]·k[p] − L[r, h])`,
 * `dquery[r, h] = scale·Σ_p P[r, p]·(dy[r, h]·v[p] − D[r, h])·k[p]`, where L is the log of the softmax's sum and
 * `D[r, h] = dy[r, h]·y[r, h]`. No buffer grows with the square of the tokens.
 *
 * The rows of a sequence stand together at rising positions; its keys and values are in the cache.
 *
 * Reference: Dao et al., "FlashAttention", 2022, algorithm 4.
 *
 * @param tensors `query` [rows, heads·headDim], `cache` [sequences, 2, kvHeads, capacity, headDim], `y` as the forward
 *   kernel gave it and `dy` [rows, ≥ heads·headDim]; writes `dquery` [rows, heads·headDim] and `stats` [rows, heads, 2],
 *   (L, D) of every row and head.
 * @throws HycoraError `shape-mismatch` when a width is no multiple of 4, or `y` or `dy` is too narrow.
 */
export async function attentionBackwardQuery(
  { device, tuning }: TunedDevice,
  { heads, kvHeads, headDim, capacity, scoreScale = headDim ** -0.5, window = ALL_POSITIONS }: AttentionShape,
  tensors: {
    readonly step: Tensor
    readonly query: Tensor
    readonly cache: Tensor
    readonly y: Tensor
    readonly dy: Tensor
    readonly dquery: Tensor
    readonly stats: Tensor
  },
): Promise<Dispatch> {
  expectVectors('a head', headDim)
  const yStride = expectColumns('y', tensors.y, heads * headDim)
  const dyStride = expectColumns('dy', tensors.dy, heads * headDim)
  expectVectors('a row of y', yStride)
  expectVectors('a row of dy', dyStride)
  const isDirect = tuning.manyRows === 'direct'
  return bindKernel(
    device,
    isDirect ? attentionBackwardQueryDirectKernel : attentionBackwardQueryKernel,
    tensors,
    {
      heads,
      kv_heads: kvHeads,
      head_dim: headDim,
      capacity,
      y_stride: yStride,
      dy_stride: dyStride,
      scale: scoreScale,
      window,
    },
    {
      workgroups: (rows) =>
        isDirect ? directAttentionGrid(heads, rows) : [heads, ...paddedGrid(Math.ceil(rows / TILE))],
    },
  )
}
