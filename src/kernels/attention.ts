import code from '../../shaders/attention.wgsl?raw'
import directCode from '../../shaders/attention_direct.wgsl?raw'
import rowsCode from '../../shaders/attention_rows.wgsl?raw'
import { check } from '../core/errors.ts'
import { exactGrid, paddedGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch, Workgroups } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice, Tuning } from '../gpu/tuning.ts'
import type { AttentionShape } from './rotaryAppend.ts'
import { holdsHalves } from './operands/cacheForm.ts'
import { expectColumns } from './operands/shapes.ts'

const uniforms = {
  heads: 'u32',
  kv_heads: 'u32',
  head_dim: 'u32',
  capacity: 'u32',
  y_stride: 'u32',
  scale: 'f32',
  window: 'u32',
} as const
const bindings = ['step', 'query', 'cache', 'y'] as const

export const attentionKernel = defineKernel({ name: 'attention', code, uniforms, bindings })

export const attentionRowsKernel = defineKernel({
  name: 'attention_rows',
  code: rowsCode,
  uniforms,
  bindings,
})

export const attentionDirectKernel = defineKernel({
  name: 'attention_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** Lanes of a workgroup of the direct kernels; each takes one head of so many rows. */
const DIRECT_LANES = 32
const DIRECT_ROWS = 4

/** The grid of a direct kernel whose lanes take one of so many heads each. */
export function directAttentionGrid(heads: number, rows: number): Workgroups {
  return [...paddedGrid(Math.ceil((Math.ceil(rows / DIRECT_ROWS) * heads) / DIRECT_LANES)), 1]
}

/** The window of rows that see everything before them. */
export const ALL_POSITIONS = 0xffffffff

/** Rows that share a workgroup of `attention_rows`. */
const ROWS = 4

/** The widest head that the kernel holds. */
const MAX_HEAD_DIM = 256

/** Lanes of a workgroup, in which a team of `headDim / 4` must fit; for four rows 16 KiB of workgroup memory hold 64. */
function workgroupSize({ rowLanes, rowsLanes }: Tuning, headDim: number, isOfRows: boolean): number {
  return Math.max(isOfRows ? rowsLanes : rowLanes, headDim > 128 ? 64 : 0)
}

export interface AttentionOptions {
  /**
   * `rows` reads keys and values once for four neighbouring rows, which must be of one sequence; `direct` does without
   * workgroup memory, for many rows on a processor that emulates a GPU.
   */
  readonly plan: 'row' | 'rows' | 'direct'
}

/**
 * Causal grouped-query attention of each row over its sequence in the cache, up to its own position, as far back as the
 * window reaches:
 * `y[r, h] = Σ_p softmax_p(scale·query[r, h]·k[p])·v[p]`.
 *
 * Reference: Milakov & Gimelshein, "Online normalizer calculation for softmax", 2018.
 *
 * @param tensors `query` [rows, heads·headDim], `cache` [sequences, 2, kvHeads, capacity, headDim], or with headDim / 2
 *   words of halves; writes `y` [rows, ≥ heads·headDim].
 * @throws HycoraError `shape-mismatch` for a head that is too wide or not a multiple of 4, or a narrow `y`.
 */
export function attention(
  { device, tuning }: TunedDevice,
  shape: AttentionShape,
  tensors: { readonly step: Tensor; readonly query: Tensor; readonly cache: Tensor; readonly y: Tensor },
  { plan }: AttentionOptions,
): Promise<Dispatch> {
  const { heads, kvHeads, headDim, capacity, scoreScale = headDim ** -0.5, window = ALL_POSITIONS } = shape
  check(
    headDim <= MAX_HEAD_DIM && headDim % 4 === 0,
    'shape-mismatch',
    () => `heads are ${headDim} wide, expected a multiple of 4 up to ${MAX_HEAD_DIM}`,
  )
  const yStride = expectColumns('y', tensors.y, heads * headDim)
  const isOfRows = plan === 'rows'
  const form = { HALVES: Number(holdsHalves(tensors.cache, headDim)) }
  const values = {
    heads,
    kv_heads: kvHeads,
    head_dim: headDim,
    capacity,
    y_stride: yStride,
    scale: scoreScale,
    window,
  }
  if (plan === 'direct') {
    return bindKernel(device, attentionDirectKernel, tensors, values, {
      workgroups: (rows) => directAttentionGrid(heads, rows),
      overrides: form,
    })
  }
  return bindKernel(device, isOfRows ? attentionRowsKernel : attentionKernel, tensors, values, {
    workgroups: (rows) => [heads, ...(isOfRows ? paddedGrid(Math.ceil(rows / ROWS)) : exactGrid(rows))],
    overrides: { ...form, WORKGROUP_SIZE: workgroupSize(tuning, headDim, isOfRows) },
  })
}
