import { exactGrid } from '../../gpu/grid.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { AdapterBinding } from './adapterBinding.ts'
import { expectColumns, expectLength } from './shapes.ts'

/** What a gate goes through: SiLU, or GELU as its tanh approximates it. */
export type GateActivation = 'silu' | 'gelu'

/** Columns of a workgroup. */
const COLUMNS = 128

/** Where B of gate and up lies in a slot, in floats. */
export interface GatedOffsets {
  readonly gate: number
  readonly up: number
}

/** `gate_up` [rows, ≥ 2·columns + 2·rank], `bias` [2·columns]. */
export interface GatedInputs {
  readonly step: Tensor
  readonly gate_up: Tensor
  readonly bias: Tensor
}

/** What both directions are told. @throws HycoraError `shape-mismatch` for tensors of other shapes. */
export function gatedValues(
  { bias, gate_up }: GatedInputs,
  adapter: AdapterBinding,
  { gate, up }: GatedOffsets,
) {
  const columns = (bias.shape[0] ?? 0) / 2
  expectLength('bias', bias, 2 * columns)
  return {
    columns,
    gate_up_stride: expectColumns('gate_up', gate_up, 2 * (columns + adapter.paddedRank)),
    rank: adapter.paddedRank,
    b_gate: gate,
    b_up: up,
    b_slot_stride: adapter.bSlotStride,
  }
}

/** Grid and constants of both directions. */
export function gatedPlan(columns: number, activation: GateActivation) {
  return {
    workgroups: (rows: number) => [Math.ceil(columns / COLUMNS), ...exactGrid(rows)] as const,
    overrides: { GELU: Number(activation === 'gelu') },
  }
}
