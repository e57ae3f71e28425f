import type { SwigluCase } from './swiglu.ts'

/** 1; odd; a workgroup ± 1; several; Gemma 3's width; both ends of the gate. */
export const gegluCases: readonly SwigluCase[] = [
  { columns: 1, rows: 1, rank: 4, slots: 1, isShared: true, spread: 1, seed: 720 },
  { columns: 31, rows: 2, rank: 8, slots: 2, isShared: true, spread: 1, seed: 721 },
  { columns: 127, rows: 3, rank: 12, slots: 3, isShared: false, spread: 100, seed: 722 },
  { columns: 129, rows: 33, rank: 8, slots: 4, isShared: true, spread: 3, seed: 723 },
  { columns: 2048, rows: 2, rank: 8, slots: 2, isShared: false, spread: 1, seed: 724 },
]
