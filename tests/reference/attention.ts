/**
 * `y[r, h] = Σ_p softmax_p(scale·query[r, h]·k[h', p])·v[h', p]`, position(r) − window < p ≤ position(r),
 * h' = ⌊h / (heads/kvHeads)⌋.
 * `query` [rows, heads, headDim], `cache` [sequences, 2, kvHeads, capacity, headDim], of which k and v are the row's
 * sequence; gives [rows, heads·headDim].
 */
export function attentionReference(
  rows: readonly { readonly position: number; readonly sequence?: number }[],
  query: ArrayLike<number>,
  cache: ArrayLike<number>,
  shape: {
    readonly heads: number
    readonly kvHeads: number
    readonly headDim: number
    readonly capacity: number
    /** 1/√headDim where left out. */
    readonly scoreScale?: number
    /** All positions where left out. */
    readonly window?: number
  },
): Float64Array {
  const { heads, kvHeads, headDim, capacity, scoreScale = headDim ** -0.5, window = Infinity } = shape
  const y = new Float64Array(rows.length * heads * headDim)
  for (let r = 0; r < rows.length; r++) {
    const { position, sequence = 0 } = rows[r]!
    for (let h = 0; h < heads; h++) {
      const from = (r * heads + h) * headDim
      const kvHead = Math.floor(h / (heads / kvHeads))
      const keys = (2 * sequence * kvHeads + kvHead) * capacity * headDim
      const values = keys + kvHeads * capacity * headDim
      const scores: number[] = []
      const first = Math.max(0, position - window + 1)
      for (let p = first; p <= position; p++) {
        let score = 0
        for (let i = 0; i < headDim; i++) score += query[from + i]! * cache[keys + p * headDim + i]!
        scores.push(scoreScale * score)
      }
      const highest = scores.reduce((a, b) => Math.max(a, b))
      const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0)
      for (let i = 0; i < headDim; i++) {
        let sum = 0
        for (let p = first; p <= position; p++) {
          sum += (Math.exp(scores[p - first]! - highest) / total) * cache[values + p * headDim + i]!
        }
        y[from + i] = sum
      }
    }
  }
  return y
}
