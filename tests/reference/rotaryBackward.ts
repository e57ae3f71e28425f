/**
 * Gradient of `p` where each pair `(p[i], p[i + headDim/2])` of a head was turned by `position(r)·theta^(−2i/headDim)`,
 * from dy [rows, heads·headDim]: the pair turned back. `theta` null: dy itself.
 */
export function rotaryBackwardReference(
  rows: readonly { readonly position: number }[],
  dy: ArrayLike<number>,
  heads: number,
  headDim: number,
  theta: number | null,
): Float64Array {
  const dp = Float64Array.from(dy)
  if (theta === null) return dp
  for (let r = 0; r < rows.length; r++) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < headDim / 2; i++) {
        const angle = rows[r]!.position * theta ** ((-2 * i) / headDim)
        const first = (r * heads + head) * headDim + i
        const second = first + headDim / 2
        dp[first] = dy[first]! * Math.cos(angle) + dy[second]! * Math.sin(angle)
        dp[second] = dy[second]! * Math.cos(angle) - dy[first]! * Math.sin(angle)
      }
    }
  }
  return dp
}
