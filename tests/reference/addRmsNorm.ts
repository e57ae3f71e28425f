/**
 * `sum[r, c] = residual[r, c] + delta[r, c] + bias[c] + scale(r)·Σ_j u[r, j]·B[slot(r)][j, c]`, then
 * `y[r, c] = gain[c]·sum[r, c] / √(mean_c(sum[r, c]²) + ε)`. All matrices dense; B [rank, columns] a slot.
 */
export function addRmsNormReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  inputs: {
    readonly residual: ArrayLike<number>
    readonly gain: ArrayLike<number>
    readonly added?: {
      readonly delta: ArrayLike<number>
      readonly bias: ArrayLike<number>
      readonly u: ArrayLike<number>
      readonly b: readonly ArrayLike<number>[]
      readonly rank: number
    }
  },
  epsilon: number,
): { sum: Float64Array; y: Float64Array } {
  const { residual, gain, added } = inputs
  const columns = gain.length
  const sum = new Float64Array(rows.length * columns)
  const y = new Float64Array(rows.length * columns)
  for (let r = 0; r < rows.length; r++) {
    const { slot, scale } = rows[r]!
    let squares = 0
    for (let c = 0; c < columns; c++) {
      let value = residual[r * columns + c]!
      if (added) {
        let low = 0
        for (let j = 0; j < added.rank; j++) {
          low += added.u[r * added.rank + j]! * added.b[slot]![j * columns + c]!
        }
        value += added.delta[r * columns + c]! + added.bias[c]! + scale * low
      }
      sum[r * columns + c] = value
      squares += value * value
    }
    for (let c = 0; c < columns; c++) {
      y[r * columns + c] = (gain[c]! * sum[r * columns + c]!) / Math.sqrt(squares / columns + epsilon)
    }
  }
  return { sum, y }
}
