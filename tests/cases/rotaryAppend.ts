import type { AdapterShape } from './adapterShape.ts'

export interface RotaryAppendCase extends AdapterShape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly rows: number
  readonly position: number
  readonly theta: number
  readonly seed: number
}

/** Small heads; a workgroup ± 1 of pairs; the starter's and SmolLM2's; wide heads; positions far out. */
export const rotaryAppendCases: readonly RotaryAppendCase[] = [
  {
    heads: 1,
    kvHeads: 1,
    headDim: 4,
    rows: 1,
    position: 0,
    theta: 10000,
    rank: 4,
    slots: 1,
    isShared: true,
    seed: 800,
  },
  {
    heads: 2,
    kvHeads: 1,
    headDim: 16,
    rows: 2,
    position: 1,
    theta: 10000,
    rank: 8,
    slots: 2,
    isShared: false,
    seed: 801,
  },
  {
    heads: 4,
    kvHeads: 2,
    headDim: 64,
    rows: 33,
    position: 7,
    theta: 10000,
    rank: 8,
    slots: 3,
    isShared: true,
    seed: 802,
  },
  {
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    rows: 4,
    position: 500,
    theta: 100000,
    rank: 8,
    slots: 4,
    isShared: false,
    seed: 803,
  },
  {
    heads: 3,
    kvHeads: 3,
    headDim: 80,
    rows: 3,
    position: 63,
    theta: 1e6,
    rank: 12,
    slots: 2,
    isShared: true,
    seed: 804,
  },
  {
    heads: 2,
    kvHeads: 2,
    headDim: 128,
    rows: 2,
    position: 2047,
    theta: 1e6,
    rank: 4,
    slots: 2,
    isShared: true,
    seed: 805,
  },
  {
    heads: 1,
    kvHeads: 1,
    headDim: 256,
    rows: 1,
    position: 65,
    theta: 10000,
    rank: 8,
    slots: 1,
    isShared: true,
    seed: 806,
  },
]
