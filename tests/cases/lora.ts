/** A group of adapted projections: input width, output widths of the parts, roles and who shares what. */
export interface LoraCase {
  readonly rows: number
  readonly in: number
  readonly widths: readonly number[]
  readonly rank: number
  readonly slots: number
  readonly sharesA: boolean
  readonly sharesB: boolean
  readonly probability: number
  readonly seed: number
}

/** 1; odd; a workgroup ± 1; parts of unequal width; ranks that do not divide a workgroup; the starter's and SmolLM2's layers. */
export const loraCases: readonly LoraCase[] = [
  {
    rows: 1,
    in: 1,
    widths: [1],
    rank: 4,
    slots: 1,
    sharesA: false,
    sharesB: true,
    probability: 0,
    seed: 1510,
  },
  {
    rows: 3,
    in: 7,
    widths: [5, 3],
    rank: 4,
    slots: 2,
    sharesA: false,
    sharesB: false,
    probability: 0.5,
    seed: 1511,
  },
  {
    rows: 9,
    in: 31,
    widths: [33, 31, 31],
    rank: 12,
    slots: 3,
    sharesA: true,
    sharesB: false,
    probability: 0.1,
    seed: 1512,
  },
  {
    rows: 33,
    in: 65,
    widths: [64, 16, 16],
    rank: 8,
    slots: 4,
    sharesA: false,
    sharesB: true,
    probability: 0.1,
    seed: 1513,
  },
  {
    rows: 31,
    in: 32,
    widths: [63],
    rank: 20,
    slots: 2,
    sharesA: true,
    sharesB: true,
    probability: 0.9,
    seed: 1514,
  },
  {
    rows: 70,
    in: 256,
    widths: [704, 704],
    rank: 8,
    slots: 5,
    sharesA: false,
    sharesB: true,
    probability: 0.1,
    seed: 1515,
  },
  {
    rows: 20,
    in: 576,
    widths: [576, 192, 192],
    rank: 8,
    slots: 2,
    sharesA: false,
    sharesB: true,
    probability: 0.1,
    seed: 1516,
  },
]
