import { CUBIC, SLOPE, geluReference } from './geglu.ts'
import type { SwigluHalf } from './swiglu.ts'

/**
 * Gradient of `y = gelu(g)·p` with respect to the values of gate and up, from dy [rows, columns]; with
 * `z = √(2/π)·(g + 0.044715·g³)`: `dg = dy·p·½·(1 + tanh z + g·(1 − tanh² z)·√(2/π)·(1 + 3·0.044715·g²))`,
 * `dp = dy·gelu(g)`, g and p as in `gegluReference`.
 */
export function gegluBackwardReference(
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
      const at = r * columns + c
      const g = gate.values[at]! + gate.bias[c]! + scale * lowGate
      const p = up.values[at]! + up.bias[c]! + scale * lowUp
      const t = Math.tanh(SLOPE * (g + CUBIC * g ** 3))
      dgate[at] = dy[at]! * p * 0.5 * (1 + t + g * (1 - t * t) * SLOPE * (1 + 3 * CUBIC * g * g))
      dup[at] = dy[at]! * geluReference(g)
    }
  }
  return { gate: dgate, up: dup }
}
