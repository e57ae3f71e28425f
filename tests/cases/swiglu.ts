import type { AdapterShape } from './adapterShape.ts'

export interface SwigluCase extends AdapterShape {
  readonly columns: number
  readonly rows: number
  readonly seed: number
  /** Standard deviation of the gate: a large one reaches both ends of the sigmoid. */
  readonly spread: number
}

/** 1; odd; a workgroup ± 1; several; the starter's and SmolLM2's width. */
export const swigluCases: readonly SwigluCase[] = [
  { columns: 1, rows: 1, rank: 4, slots: 1, isShared: true, spread: 1, seed: 700 },
  { columns: 31, rows: 2, rank: 8, slots: 2, isShared: true, spread: 1, seed: 701 },
  { columns: 63, rows: 3, rank: 12, slots: 3, isShared: false, spread: 100, seed: 702 },
  { columns: 64, rows: 33, rank: 8, slots: 4, isShared: true, spread: 1, seed: 703 },
  { columns: 65, rows: 32, rank: 4, slots: 4, isShared: false, spread: 1, seed: 704 },
  { columns: 704, rows: 70, rank: 8, slots: 5, isShared: true, spread: 1, seed: 705 },
  { columns: 1536, rows: 2, rank: 8, slots: 2, isShared: false, spread: 1, seed: 706 },
]
