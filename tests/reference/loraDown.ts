/**
 * `u[r, part, j] = Σ_k drop[r, k]·x[r, k]·A[part][slot(r)][k, j]`, each A [in, rank]; rows with scale 0 give 0.
 * Result [rows, parts·rank].
 */
export function loraDownReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  x: ArrayLike<number>,
  drop: ArrayLike<number>,
  a: readonly (readonly ArrayLike<number>[])[],
  rank: number,
): Float64Array {
  const inFeatures = x.length / rows.length
  const u = new Float64Array(rows.length * a.length * rank)
  rows.forEach(({ slot, scale }, r) => {
    if (scale === 0) return
    a.forEach((matrices, part) => {
      for (let k = 0; k < inFeatures; k++) {
        const value = drop[r * inFeatures + k]! * x[r * inFeatures + k]!
        for (let j = 0; j < rank; j++)
          u[(r * a.length + part) * rank + j]! += value * matrices[slot]![k * rank + j]!
      }
    })
  })
  return u
}

/**
 * The whole adapter: `y[r, first(part) + n] = scale(r)·Σ_j u[r, part, j]·B[part][slot(r)][j, n]`, each B [rank, width].
 * Result [rows, widths side by side].
 */
export function loraReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  x: ArrayLike<number>,
  drop: ArrayLike<number>,
  a: readonly (readonly ArrayLike<number>[])[],
  b: readonly (readonly ArrayLike<number>[])[],
  rank: number,
): Float64Array {
  const u = loraDownReference(rows, x, drop, a, rank)
  const widths = b.map((matrices) => matrices[0]!.length / rank)
  const out = widths.reduce((sum, width) => sum + width, 0)
  const y = new Float64Array(rows.length * out)
  rows.forEach(({ slot, scale }, r) => {
    let first = 0
    b.forEach((matrices, part) => {
      const width = widths[part]!
      for (let n = 0; n < width; n++) {
        for (let j = 0; j < rank; j++) {
          const low = u[(r * b.length + part) * rank + j]!
          y[r * out + first + n]! += scale * low * matrices[slot]![j * width + n]!
        }
      }
      first += width
    })
  })
  return y
}
