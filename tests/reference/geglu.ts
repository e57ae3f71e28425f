import type { SwigluHalf } from './swiglu.ts'

export const [SLOPE, CUBIC] = [Math.sqrt(2 / Math.PI), 0.044715]

/** `½·g·(1 + tanh(√(2/π)·(g + 0.044715·g³)))` */
export function geluReference(g: number): number {
  return 0.5 * g * (1 + Math.tanh(SLOPE * (g + CUBIC * g ** 3)))
}

/**
 * `g = gate + bias_gate + scale·u_gate·B_gate`, `p = up + bias_up + scale·u_up·B_up`, `y = gelu(g)·p`.
 * `gate`, `up` [rows, columns]; u [rows, rank]; B [rank, columns] a slot; biases [columns].
 */
export function gegluReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  gate: SwigluHalf,
  up: SwigluHalf,
  columns: number,
  rank: number,
): Float64Array {
  const half = ({ values, bias, u, b }: SwigluHalf, r: number, c: number): number => {
    const { slot, scale } = rows[r]!
    let low = 0
    for (let j = 0; j < rank; j++) low += u[r * rank + j]! * b[slot]![j * columns + c]!
    return values[r * columns + c]! + bias[c]! + scale * low
  }
  const y = new Float64Array(rows.length * columns)
  for (let r = 0; r < rows.length; r++) {
    for (let c = 0; c < columns; c++) y[r * columns + c] = geluReference(half(gate, r, c)) * half(up, r, c)
  }
  return y
}
