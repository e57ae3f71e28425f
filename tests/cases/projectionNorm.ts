import type { AdapterShape } from './adapterShape.ts'

export interface ProjectionNormCase extends AdapterShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly queryGroup: number
  readonly keyGroup: number
  readonly rows: number
  readonly seed: number
}

const each = { queryGroup: 1, keyGroup: 1 }

/** Single heads, narrow, odd and wide; all heads together; an output that is one head, a workgroup's lanes ± 1. */
export const projectionNormCases: readonly ProjectionNormCase[] = [
  { heads: 1, kvHeads: 1, headDim: 4, ...each, rows: 1, rank: 4, slots: 1, isShared: true, seed: 2000 },
  { heads: 3, kvHeads: 1, headDim: 31, ...each, rows: 5, rank: 8, slots: 2, isShared: false, seed: 2001 },
  { heads: 16, kvHeads: 8, headDim: 128, ...each, rows: 3, rank: 8, slots: 3, isShared: true, seed: 2002 },
  { heads: 2, kvHeads: 1, headDim: 256, ...each, rows: 33, rank: 4, slots: 2, isShared: false, seed: 2003 },
  {
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    queryGroup: 4,
    keyGroup: 2,
    rows: 7,
    rank: 12,
    slots: 3,
    isShared: false,
    seed: 2004,
  },
  {
    heads: 6,
    kvHeads: 6,
    headDim: 64,
    queryGroup: 2,
    keyGroup: 3,
    rows: 2,
    rank: 8,
    slots: 2,
    isShared: true,
    seed: 2005,
  },
  { heads: 1, kvHeads: 0, headDim: 63, ...each, rows: 4, rank: 4, slots: 2, isShared: false, seed: 2006 },
  { heads: 1, kvHeads: 0, headDim: 65, ...each, rows: 2, rank: 8, slots: 1, isShared: true, seed: 2007 },
  { heads: 1, kvHeads: 0, headDim: 640, ...each, rows: 70, rank: 8, slots: 3, isShared: true, seed: 2008 },
]
