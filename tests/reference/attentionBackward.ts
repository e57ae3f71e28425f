/** What attention's rows and the cache look like. */
interface Shape {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly capacity: number
  readonly sequences: number
  /** 1/√headDim where left out. */
  readonly scoreScale?: number
  /** All positions where left out. */
  readonly window?: number
}

/**
 * Gradient of `y[r, h] = Σ_p P[r, p]·v[p]`, `P[r, p] = softmax_p(scale·query[r, h]·k[p])`, p ≤ position(r) and above position(r) − window, keys and
 * values of the row's sequence and of head ⌊h / (heads/kvHeads)⌋. With `dS[r, p] = P[r, p]·(dy[r, h]·v[p] − D[r, h])`,
 * `D[r, h] = dy[r, h]·y[r, h]`:
 * `dquery[r, h] = scale·Σ_p dS[r, p]·k[p]`, `dk[p] = scale·Σ dS[r, p]·query[r, h]`, `dv[p] = Σ P[r, p]·dy[r, h]`,
 * the last two over all rows and heads that see them. Also the log of the softmax's sum and D, [rows, heads, 2].
 */
export function attentionBackwardReference(
  rows: readonly { readonly position: number; readonly sequence?: number }[],
  query: ArrayLike<number>,
  cache: ArrayLike<number>,
  dy: ArrayLike<number>,
  { heads, kvHeads, headDim, capacity, sequences, scoreScale = headDim ** -0.5, window = Infinity }: Shape,
): { dquery: Float64Array; dcache: Float64Array; stats: Float64Array } {
  const dquery = new Float64Array(query.length)
  const dcache = new Float64Array(sequences * 2 * kvHeads * capacity * headDim)
  const stats = new Float64Array(rows.length * heads * 2)
  rows.forEach(({ position, sequence = 0 }, r) => {
    for (let h = 0; h < heads; h++) {
      const q = (r * heads + h) * headDim
      const kvHead = Math.floor(h / (heads / kvHeads))
      const keys = (2 * sequence * kvHeads + kvHead) * capacity * headDim
      const values = ((2 * sequence + 1) * kvHeads + kvHead) * capacity * headDim
      const scores: number[] = []
      const products: number[] = []
      const first = Math.max(0, position - window + 1)
      for (let p = first; p <= position; p++) {
        let score = 0
        let product = 0
        for (let i = 0; i < headDim; i++) {
          score += scoreScale * query[q + i]! * cache[keys + p * headDim + i]!
          product += dy[q + i]! * cache[values + p * headDim + i]!
        }
        scores.push(score)
        products.push(product)
      }
      const highest = scores.reduce((a, b) => Math.max(a, b))
      const normaliser = highest + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - highest), 0))
      const weights = scores.map((score) => Math.exp(score - normaliser))
      const along = weights.reduce((sum, weight, at) => sum + weight * products[at]!, 0)
      stats[2 * (r * heads + h)] = normaliser
      stats[2 * (r * heads + h) + 1] = along
      for (let p = first; p <= position; p++) {
        const weight = weights[p - first]!
        const slope = scoreScale * weight * (products[p - first]! - along)
        for (let i = 0; i < headDim; i++) {
          dquery[q + i]! += slope * cache[keys + p * headDim + i]!
          dcache[keys + p * headDim + i]! += slope * query[q + i]!
          dcache[values + p * headDim + i]! += weight * dy[q + i]!
        }
      }
    }
  })
  return { dquery, dcache, stats }
}
