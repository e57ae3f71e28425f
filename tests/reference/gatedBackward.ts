import type { GateActivation } from '../../src/kernels/operands/gatedOperands.ts'
import { CUBIC, SLOPE, adaptedHalf, gateReference } from './gated.ts'
import type { GatedHalf } from './gated.ts'

/**
 * f′ of an activation: with `s = 1 / (1 + e^(−g))`, `silu′ = s + g·s·(1 − s)`; with `t = tanh(√(2/π)·(g + 0.044715·g³))`,
 * `gelu′ = ½·(1 + t + g·(1 − t²)·√(2/π)·(1 + 3·0.044715·g²))`.
 */
const slopes: Readonly<Record<GateActivation, (g: number) => number>> = {
  silu(g) {
    const s = 1 / (1 + Math.exp(-g))
    return s + g * s * (1 - s)
  },
  gelu(g) {
    const t = Math.tanh(SLOPE * (g + CUBIC * g ** 3))
    return 0.5 * (1 + t + g * (1 - t * t) * SLOPE * (1 + 3 * CUBIC * g * g))
  },
}

/**
 * Gradient of `y = f(g)·p` with respect to the values of gate and up, from dy [rows, columns]: `dg = dy·p·f′(g)`,
 * `dp = dy·f(g)`, g and p as in `gatedReference`.
 */
export function gatedBackwardReference(
  activation: GateActivation,
  rows: readonly { readonly slot: number; readonly scale: number }[],
  dy: ArrayLike<number>,
  gate: GatedHalf,
  up: GatedHalf,
  columns: number,
  rank: number,
): { gate: Float64Array; up: Float64Array } {
  const dgate = new Float64Array(rows.length * columns)
  const dup = new Float64Array(rows.length * columns)
  for (let r = 0; r < rows.length; r++) {
    for (let c = 0; c < columns; c++) {
      const at = r * columns + c
      const g = adaptedHalf(gate, rows[r]!, [r, c], columns, rank)
      const p = adaptedHalf(up, rows[r]!, [r, c], columns, rank)
      dgate[at] = dy[at]! * p * slopes[activation](g)
      dup[at] = dy[at]! * gateReference[activation](g)
    }
  }
  return { gate: dgate, up: dup }
}
