import vectorCode from '../../shaders/project.wgsl?raw'
import directCode from '../../shaders/project_direct.wgsl?raw'
import tileCode from '../../shaders/project_tile.wgsl?raw'
import { check } from '../core/errors.ts'
import { paddedGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch, Workgroups } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice, Tuning } from '../gpu/tuning.ts'
import type { ProjectedParts } from './operands/adapterBinding.ts'
import { dataVectors, formatOverrides, paddedWidth } from './operands/packedMatrix.ts'
import type { PackedMatrix } from './operands/packedMatrix.ts'
import { expectColumns } from './operands/shapes.ts'

const uniforms = {
  out: 'u32',
  in_vectors: 'u32',
  row_vectors: 'u32',
  block_size: 'u32',
  row_blocks: 'u32',
  out_groups: 'u32',
  x_stride: 'u32',
  y_stride: 'u32',
  in_features: 'u32',
  rank: 'u32',
  a_offset: 'u32',
  a_part_stride: 'u32',
  a_slot_stride: 'u32',
} as const
const bindings = ['step', 'x', 'weights', 'scales', 'zeros', 'a', 'y'] as const

export const projectKernel = defineKernel({
  name: 'project',
  code: vectorCode,
  uniforms: { ...uniforms, last_row_only: 'u32', a_first_group: 'u32', a_share: 'u32' },
  bindings,
})

export const projectTileKernel = defineKernel({
  name: 'project_tile',
  code: tileCode,
  uniforms: { ...uniforms, rank_quads: 'u32' },
  bindings,
})

export const projectDirectKernel = defineKernel({
  name: 'project_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** Outputs of a workgroup of the vector plan, were each lane a team of its own. */
const VECTOR_OUTPUTS = 256
/** Rows and outputs of a workgroup of the tile plan. */
const TILE = 32
/** Of the plan without workgroup memory. */
const DIRECT_ROWS = 8
const DIRECT_OUTPUTS = 64
/** Lanes of a workgroup of the vector plan. */
const VECTOR_LANES = 64

export interface ProjectOptions {
  /** How many rows a step has: one or a few, or many; a `pair` reads W once for two of a few. */
  readonly rows: 'few' | 'pair' | 'many'
  /** Projects only the last row of the step, into row 0 of `y`; for `few` only. */
  readonly lastRowOnly?: boolean
}

/** Lanes that share a quad of rank columns: many in workgroups of their own, few in those of the outputs. */
const RANKS = {
  beside: { slices: 32 },
  within: { slices: 8 },
} as const

/** The first workgroup that takes quads of rank columns, how many do so, and how many workgroups there are. */
function rankGroups(
  quads: number,
  outGroups: number,
  ranks: Tuning['rankColumns'],
): { readonly first: number; readonly sharing: number; readonly groups: number } {
  const fewest = Math.ceil((quads * RANKS[ranks].slices) / VECTOR_LANES)
  if (ranks === 'beside') return { first: outGroups, sharing: fewest, groups: outGroups + fewest }
  const groups = Math.max(outGroups, fewest)
  return { first: 0, sharing: groups, groups }
}

/** What all plans know of the matrix, the adapter and the strides. @throws HycoraError as `project`. */
function uniformsOf(
  matrix: PackedMatrix,
  { adapter, count, aOffset, aPartStride }: ProjectedParts,
  { x, y }: { readonly x: Tensor; readonly y: Tensor },
) {
  const xStride = expectColumns('x', x, paddedWidth(matrix.in, matrix.blockSize))
  check(xStride % 32 === 0, 'shape-mismatch', () => `x has a stride of ${xStride}, expected a multiple of 32`)
  return {
    out: matrix.out,
    in_vectors: dataVectors(matrix),
    row_vectors: matrix.rowWords / 4,
    block_size: Math.max(1, matrix.blockSize),
    row_blocks: matrix.rowBlocks,
    x_stride: xStride,
    y_stride: expectColumns('y', y, matrix.out + count * adapter.paddedRank),
    in_features: matrix.in,
    rank: adapter.paddedRank,
    a_offset: aOffset,
    a_part_stride: aPartStride,
    a_slot_stride: adapter.aSlotStride,
  }
}

/**
 * The projection with its half of the adapter, in one dispatch:
 * `y[r, n] = Σ_k x[r, k]·W[n, k]` and, after those columns, `u[r, part, j] = Σ_k x[r, k]·A[slot(r), part][k, j]`.
 * Who reads `y` adds `scale·u·B`, so that an adapter costs no dispatch of its own.
 *
 * Reference: HyCoRA, eq. 7.
 *
 * @param tensors `step`; `x` [rows, padded in]; `y` [rows, ≥ out + parts·rank].
 * @throws HycoraError `shape-mismatch` when a tensor is too narrow.
 */
export function project(
  { device, tuning }: TunedDevice,
  matrix: PackedMatrix,
  parts: ProjectedParts,
  tensors: { readonly step: Tensor; readonly x: Tensor; readonly y: Tensor },
  options: ProjectOptions,
): Promise<Dispatch> {
  const { adapter, count } = parts
  const isFew = options.rows !== 'many'
  const each = options.rows === 'pair' ? 2 : 1
  const lastRowOnly = options.lastRowOnly === true
  check(
    options.rows === 'few' || !lastRowOnly,
    'shape-mismatch',
    () => `a single row was planned as ${options.rows}, expected few`,
  )
  const lanes = tuning.outputLanes
  const isTiled = tuning.manyRows === 'tile' || !device.features.has('subgroups')
  const outputs = isFew ? VECTOR_OUTPUTS / lanes : isTiled ? TILE : DIRECT_OUTPUTS
  const outGroups = Math.ceil(matrix.out / outputs)
  const quads = (count * adapter.paddedRank) / 4
  const values = { ...uniformsOf(matrix, parts, tensors), out_groups: outGroups }
  const { weights, scales, zeros } = matrix
  const bound = { ...tensors, weights, scales, zeros, a: adapter.a }
  const overrides = formatOverrides(matrix)
  if (isFew) {
    const ranks = tuning.rankColumns
    const { first, sharing, groups } = rankGroups(quads, outGroups, ranks)
    return bindKernel(
      device,
      projectKernel,
      bound,
      {
        ...values,
        last_row_only: lastRowOnly ? 1 : 0,
        a_first_group: first,
        a_share: quads === 0 ? 0 : Math.ceil((quads * 0x10000) / sharing),
      },
      {
        overrides: { ...overrides, LANES: lanes, SLICES: RANKS[ranks].slices, ROWS: each },
        workgroups: (rows) => [groups, lastRowOnly ? 1 : Math.ceil(rows / each), 1],
      },
    )
  }
  const workgroups = (rows: number): Workgroups => [
    outGroups + (isTiled ? Math.ceil((4 * quads) / TILE) : quads),
    ...paddedGrid(Math.ceil(rows / (isTiled ? TILE : DIRECT_ROWS))),
  ]
  return isTiled
    ? bindKernel(
        device,
        projectTileKernel,
        bound,
        { ...values, rank_quads: quads },
        { overrides, workgroups },
      )
    : bindKernel(device, projectDirectKernel, bound, values, { overrides, workgroups })
}
