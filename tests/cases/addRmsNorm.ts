import type { AdapterShape } from './adapterShape.ts'

export interface AddRmsNormCase extends AdapterShape {
  readonly columns: number
  readonly rows: number
  readonly seed: number
}

/** 1; odd; prime; a workgroup ± 1; several; the starter's and SmolLM2's width. */
export const addRmsNormCases: readonly AddRmsNormCase[] = [
  { columns: 1, rows: 1, rank: 4, slots: 1, isShared: true, seed: 600 },
  { columns: 31, rows: 2, rank: 8, slots: 2, isShared: true, seed: 601 },
  { columns: 63, rows: 3, rank: 12, slots: 3, isShared: false, seed: 602 },
  { columns: 64, rows: 31, rank: 8, slots: 4, isShared: true, seed: 603 },
  { columns: 65, rows: 32, rank: 4, slots: 4, isShared: false, seed: 604 },
  { columns: 257, rows: 33, rank: 12, slots: 5, isShared: true, seed: 605 },
  { columns: 256, rows: 70, rank: 8, slots: 3, isShared: true, seed: 606 },
  { columns: 576, rows: 4, rank: 8, slots: 2, isShared: false, seed: 607 },
]
