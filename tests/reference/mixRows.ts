/** `Σ_t weight_t · x[source_t]` of one mix; `x` [sources, columns]. */
export function mixRowsReference(
  x: ArrayLike<number>,
  columns: number,
  terms: readonly { readonly source: number; readonly weight: number }[],
): Float64Array {
  const y = new Float64Array(columns)
  for (const { source, weight } of terms) {
    for (let c = 0; c < columns; c++) y[c]! += weight * x[source * columns + c]!
  }
  return y
}
