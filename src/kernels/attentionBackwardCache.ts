import code from '../../shaders/attention_backward_cache.wgsl?raw'
import directCode from '../../shaders/attention_backward_cache_direct.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
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
  dy_stride: 'u32',
  scale: 'f32',
  window: 'u32',
} as const
const bindings = ['step', 'query', 'cache', 'dy', 'stats', 'dcache'] as const

export const attentionBackwardCacheKernel = defineKernel({
  name: 'attention_backward_cache',
  code,
  uniforms,
  bindings,
})

export const attentionBackwardCacheDirectKernel = defineKernel({
  name: 'attention_backward_cache_direct',
  code: directCode,
  uniforms,
  bindings,
})

const TILE = 32

/**
 * Gradient of attention's keys and values, from what `attentionBackwardQuery` left in `stats`: summed over the rows of
 * the sequence that see a position and over the query heads that share its key and value,
 * `dk[p] = Σ_h Σ_r P[r, p]·(dy[r, h]·v[p] − D[r, h])·query[r, h] / √headDim`, `dv[p] = Σ_h Σ_r P[r, p]·dy[r, h]`.
 *
 * Rows stand in the order of their sequences, those of a sequence at positions 0, 1, …; positions beyond are not written.
 *
 * Reference: Dao et al., "FlashAttention", 2022, algorithm 4.
 *
 * @param tensors `query` [rows, heads·headDim], `cache` [sequences, 2, kvHeads, capacity, headDim], `dy`
 *   [rows, ≥ heads·headDim], `stats` [rows, heads, 2]; writes `dcache`, laid out as the cache.
 * @throws HycoraError `shape-mismatch` when a shape differs from the above or a width is no multiple of 4.
 */
export async function attentionBackwardCache(
  { device, tuning }: TunedDevice,
  { heads, kvHeads, headDim, capacity, scoreScale = headDim ** -0.5, window = ALL_POSITIONS }: AttentionShape,
  tensors: {
    readonly step: Tensor
    readonly query: Tensor
    readonly cache: Tensor
    readonly dy: Tensor
    readonly stats: Tensor
    readonly dcache: Tensor
  },
): Promise<Dispatch> {
  expectVectors('a head', headDim)
  const dyStride = expectColumns('dy', tensors.dy, heads * headDim)
  expectVectors('a row of dy', dyStride)
  const { shape } = tensors.cache
  check(
    shape.length === 5 && sizeOf(tensors.dcache.shape) === sizeOf(shape),
    'shape-mismatch',
    () =>
      `cache [${shape.join(', ')}] and dcache [${tensors.dcache.shape.join(', ')}], expected twice ` +
      '[sequences, 2, kvHeads, capacity, headDim]',
  )
  const [sequences = 0] = shape
  const tiles = Math.ceil(capacity / TILE)
  const isDirect = tuning.manyRows === 'direct'
  return bindKernel(
    device,
    isDirect ? attentionBackwardCacheDirectKernel : attentionBackwardCacheKernel,
    tensors,
    {
      heads,
      kv_heads: kvHeads,
      head_dim: headDim,
      capacity,
      dy_stride: dyStride,
      scale: scoreScale,
      window,
    },
    // No sequence has more rows than all: what lies beyond finds nothing to do.
    {
      workgroups: (rows) =>
        isDirect
          ? directAttentionGrid(kvHeads, rows)
          : [kvHeads, Math.min(tiles, Math.ceil(rows / TILE)), Math.min(sequences, rows)],
    },
  )
}
