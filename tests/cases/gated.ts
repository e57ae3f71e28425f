import type { GateActivation } from '../../src/kernels/operands/gatedOperands.ts'
import type { AdapterShape } from './adapterShape.ts'

export interface GatedCase extends AdapterShape {
  readonly activation: GateActivation
  readonly columns: number
  readonly rows: number
  readonly seed: number
  /** Standard deviation of the gate: a large one reaches both ends of the sigmoid. */
  readonly spread: number
}

/** 1; odd; a workgroup ± 1; several; the widths of the starter, SmolLM2 and Gemma 3. */
export const gatedCases: readonly GatedCase[] = [
  { activation: 'silu', columns: 1, rows: 1, rank: 4, slots: 1, isShared: true, spread: 1, seed: 700 },
  { activation: 'silu', columns: 31, rows: 2, rank: 8, slots: 2, isShared: true, spread: 1, seed: 701 },
  { activation: 'silu', columns: 63, rows: 3, rank: 12, slots: 3, isShared: false, spread: 100, seed: 702 },
  { activation: 'silu', columns: 127, rows: 33, rank: 8, slots: 4, isShared: true, spread: 1, seed: 703 },
  { activation: 'silu', columns: 129, rows: 32, rank: 4, slots: 4, isShared: false, spread: 1, seed: 704 },
  { activation: 'silu', columns: 704, rows: 70, rank: 8, slots: 5, isShared: true, spread: 1, seed: 705 },
  { activation: 'silu', columns: 1536, rows: 2, rank: 8, slots: 2, isShared: false, spread: 1, seed: 706 },
  { activation: 'gelu', columns: 1, rows: 1, rank: 4, slots: 1, isShared: true, spread: 1, seed: 720 },
  { activation: 'gelu', columns: 31, rows: 2, rank: 8, slots: 2, isShared: true, spread: 1, seed: 721 },
  { activation: 'gelu', columns: 127, rows: 3, rank: 12, slots: 3, isShared: false, spread: 100, seed: 722 },
  { activation: 'gelu', columns: 129, rows: 33, rank: 8, slots: 4, isShared: true, spread: 3, seed: 723 },
  { activation: 'gelu', columns: 2048, rows: 2, rank: 8, slots: 2, isShared: false, spread: 1, seed: 724 },
]
