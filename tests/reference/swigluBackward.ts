import type { SwigluHalf } from './swiglu.ts'

/**
 * Gradient of `y = g / (1 + e^(−g))·p` with respect to the values of gate and up, from dy [rows, columns]; with
 * `s = 1 / (1 + e^(−g))`: `dg = dy·p·(s + g·s·(1 − s))`, `dp = dy·g·s`, g and p as in `swigluReference`.
 */
export function swigluBackwardReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  dy: ArrayLike<number>,
  gate: SwigluHalf,
  up: SwigluHalf,
  columns: number,
  rank: number,
): { gate: Float64Array; up: Float64Array } {
  const dgate = new Float64Array(rows.length * columns)
  const dup = new Float64Array(rows.length * columns)
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
      const s = 1 / (1 + Math.exp(-g))
      dgate[r * columns + c] = dy[r * columns + c]! * p * (s + g * s * (1 - s))
      dup[r * columns + c] = dy[r * columns + c]! * g * s
    }
  }
  return { gate: dgate, up: dup }
}
