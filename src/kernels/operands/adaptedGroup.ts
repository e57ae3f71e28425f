import { check } from '../../core/errors.ts'
import { paddedGrid } from '../../gpu/grid.ts'
import type { Workgroups } from '../../gpu/kernel.ts'
import type { ProjectedParts } from './adapterBinding.ts'

/** Projections that lie side by side in one matrix, with both halves of their adapters, as the backward kernels need them. */
export interface AdaptedGroup extends ProjectedParts {
  /** Output columns of each part, in order; together those of W. */
  readonly widths: readonly number[]
  /** Where B of each part lies in a slot, in floats. */
  readonly bOffsets: readonly number[]
}

/** Parts whose widths and offsets a kernel's uniforms can hold. */
const MAX_PARTS = 3

/** Rows that a workgroup of the direct kernels takes, and pairs of quads of rank columns beside each other. */
const DIRECT_ROWS = 32
const DIRECT_PAIRS = 4

/** Pairs of quads of a part's rank columns; of an odd number of quads the last is half a pair. */
export function rankPairs(rank: number): number {
  return Math.ceil(rank / 8)
}

/** The grid of a direct kernel that writes columns of the rank. */
export function directGrid(parts: number, rank: number, rows: number): Workgroups {
  return [Math.ceil((parts * rankPairs(rank)) / DIRECT_PAIRS), ...paddedGrid(Math.ceil(rows / DIRECT_ROWS))]
}

/** The output columns of all parts together. */
export function groupColumns({ widths }: AdaptedGroup): number {
  return widths.reduce((sum, width) => sum + width, 0)
}

/**
 * The uniforms by which a kernel knows the parts; a part that is not there has no columns.
 *
 * @throws HycoraError `shape-mismatch` when counts differ, or the rank is no multiple of 4 up to 256.
 */
export function groupUniforms({ adapter, count, widths, bOffsets }: AdaptedGroup): {
  width_0: number
  width_1: number
  width_2: number
  b_0: number
  b_1: number
  b_2: number
} {
  check(
    count === widths.length && count === bOffsets.length && count > 0 && count <= MAX_PARTS,
    'shape-mismatch',
    () =>
      `${count} parts, ${widths.length} widths and ${bOffsets.length} offsets, expected 1 to ${MAX_PARTS} of each`,
  )
  checkRank(adapter.paddedRank)
  const [width_0 = 0, width_1 = 0, width_2 = 0] = widths
  const [b_0 = 0, b_1 = 0, b_2 = 0] = bOffsets
  return { width_0, width_1, width_2, b_0, b_1, b_2 }
}

/**
 * Checks that a workgroup can take a rank's columns by fours.
 *
 * @throws HycoraError `shape-mismatch` when it cannot.
 */
export function checkRank(rank: number): void {
  check(
    rank > 0 && rank <= 256 && rank % 4 === 0,
    'shape-mismatch',
    () => `the adapter has rank ${rank}, expected a multiple of 4 up to 256`,
  )
}
