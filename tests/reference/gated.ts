import type { GateActivation } from '../../src/kernels/operands/gatedOperands.ts'

export interface GatedHalf {
  readonly values: ArrayLike<number>
  readonly bias: ArrayLike<number>
  readonly u: ArrayLike<number>
  readonly b: readonly ArrayLike<number>[]
}

type Row = { readonly slot: number; readonly scale: number }

export const [SLOPE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715]

/** `silu(g) = g / (1 + e^(−g))`, `gelu(g) = ½·g·(1 + tanh(√(2/π)·(g + 0.044715·g³)))`. */
export const gateReference: Readonly<Record<GateActivation, (g: number) => number>> = {
  silu: (g) => g / (1 + Math.exp(-g)),
  gelu: (g) => 0.5 * g * (1 + Math.tanh(SLOPE * (g + CUBIC * g ** 3))),
}

/** `values + bias + scale·u·B` of row r and column c: values [rows, columns]; u [rows, rank]; B [rank, columns] a slot. */
export function adaptedHalf(
  { values, bias, u, b }: GatedHalf,
  { slot, scale }: Row,
  [r, c]: readonly [number, number],
  columns: number,
  rank: number,
): number {
  let low = 0
  for (let j = 0; j < rank; j++) low += u[r * rank + j]! * b[slot]![j * columns + c]!
  return values[r * columns + c]! + bias[c]! + scale * low
}

/** `y = f(g)·p`, g and p the halves of gate and up, f an activation. */
export function gatedReference(
  activation: GateActivation,
  rows: readonly Row[],
  gate: GatedHalf,
  up: GatedHalf,
  columns: number,
  rank: number,
): Float64Array {
  const y = new Float64Array(rows.length * columns)
  for (let r = 0; r < rows.length; r++) {
    for (let c = 0; c < columns; c++) {
      const g = adaptedHalf(gate, rows[r]!, [r, c], columns, rank)
      const p = adaptedHalf(up, rows[r]!, [r, c], columns, rank)
      y[r * columns + c] = gateReference[activation](g) * p
    }
  }
  return y
}
