/**
 * `g = gate + bias_gate + scale·u_gate·B_gate`, `p = up + bias_up + scale·u_up·B_up`, `y = g / (1 + e^(−g))·p`.
 * `gate`, `up` [rows, columns]; u [rows, rank]; B [rank, columns] a slot; biases [columns].
 */
export function swigluReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  gate: SwigluHalf,
  up: SwigluHalf,
  columns: number,
  rank: number,
): Float64Array {
  const y = new Float64Array(rows.length * columns)
  for (let r = 0; r < rows.length; r++) {
    const { slot, scale } = rows[r]!
    for (let c = 0; c < columns; c++) {
      let lowGate = 0
      let lowUp = 0
      for (let j = 0; j < rank; j++) {
        lowGate += gate.u[r * rank + j]! * gate.b[slot]![j * columns + c]!
        lowUp += up.u[r * rank + j]! * up.b[slot]![j * columns + c]!
      }
      const g = gate.values[r * columns + c]! + gate.bias[c]! + scale * lowGate
      const p = up.values[r * columns + c]! + up.bias[c]! + scale * lowUp
      y[r * columns + c] = (g / (1 + Math.exp(-g))) * p
    }
  }
  return y
}

export interface SwigluHalf {
  readonly values: ArrayLike<number>
  readonly bias: ArrayLike<number>
  readonly u: ArrayLike<number>
  readonly b: readonly ArrayLike<number>[]
}
