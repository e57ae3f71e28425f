/** Gradient of `y[r, n] = Σ_k x[r, k]·W[n, k]`: `dx[r, k] = Σ_n dy[r, n]·W[n, k]`, W [out, in]; gives [rows, in]. */
export function projectBackwardReference(
  dy: ArrayLike<number>,
  weights: ArrayLike<number>,
  inFeatures: number,
  out: number,
): Float64Array {
  const rows = dy.length / out
  const dx = new Float64Array(rows * inFeatures)
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < out; n++) {
      const gradient = dy[r * out + n]!
      for (let k = 0; k < inFeatures; k++) dx[r * inFeatures + k]! += gradient * weights[n * inFeatures + k]!
    }
  }
  return dx
}

/** The adapter's share: `dx[r, k] = drop[r, k]·Σ_part Σ_j du[r, part, j]·A[part][slot(r)][k, j]`, each A [in, rank]. */
export function loraBackwardInputReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  drop: ArrayLike<number>,
  du: ArrayLike<number>,
  a: readonly (readonly ArrayLike<number>[])[],
  rank: number,
): Float64Array {
  const inFeatures = drop.length / rows.length
  const dx = new Float64Array(drop.length)
  rows.forEach(({ slot, scale }, r) => {
    if (scale === 0) return
    for (let k = 0; k < inFeatures; k++) {
      let sum = 0
      a.forEach((matrices, part) => {
        for (let j = 0; j < rank; j++)
          sum += du[(r * a.length + part) * rank + j]! * matrices[slot]![k * rank + j]!
      })
      dx[r * inFeatures + k] = drop[r * inFeatures + k]! * sum
    }
  })
  return dx
}
