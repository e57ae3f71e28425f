/** `y[r, n] = Σ_k x[r, k]·W[n, k]`, x [rows, in], W [out, in]; gives [rows, out]. */
export function projectReference(
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
  inFeatures: number,
  out: number,
): Float64Array {
  const rows = x.length / inFeatures
  const y = new Float64Array(rows * out)
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < out; n++) {
      let sum = 0
      for (let k = 0; k < inFeatures; k++) sum += x[r * inFeatures + k]! * weights[n * inFeatures + k]!
      y[r * out + n] = sum
    }
  }
  return y
}

/**
 * `u[r, part, j] = Σ_k x[r, k]·A[slot(r)][part][k, j]`, each A [in, rank]; rows with scale 0 give 0.
 * Result [rows, parts·rank].
 */
export function adapterDownReference(
  x: ArrayLike<number>,
  a: readonly (readonly ArrayLike<number>[])[],
  rows: readonly { readonly slot: number; readonly scale: number }[],
  inFeatures: number,
  rank: number,
): Float64Array {
  const parts = a[0]!.length
  const u = new Float64Array(rows.length * parts * rank)
  for (let r = 0; r < rows.length; r++) {
    if (rows[r]!.scale === 0) continue
    for (let part = 0; part < parts; part++) {
      const matrix = a[rows[r]!.slot]![part]!
      for (let j = 0; j < rank; j++) {
        let sum = 0
        for (let k = 0; k < inFeatures; k++) sum += x[r * inFeatures + k]! * matrix[k * rank + j]!
        u[(r * parts + part) * rank + j] = sum
      }
    }
  }
  return u
}
