/** `y[i, c] = x[index[i], c]`, x [sources, columns]; gives [index.length, columns]. */
export function gatherRowsReference(
  x: ArrayLike<number>,
  index: readonly number[],
  columns: number,
): Float64Array {
  const y = new Float64Array(index.length * columns)
  index.forEach((source, i) => {
    for (let c = 0; c < columns; c++) y[i * columns + c] = x[source * columns + c]!
  })
  return y
}

/** `y[index[i], c] + Σ x[i, c]`, y [targets, columns], x [index.length, columns]; gives [targets, columns]. */
export function scatterAddRowsReference(
  y: ArrayLike<number>,
  x: ArrayLike<number>,
  index: readonly number[],
  columns: number,
): Float64Array {
  const sum = Float64Array.from(y)
  index.forEach((target, i) => {
    for (let c = 0; c < columns; c++) sum[target * columns + c]! += x[i * columns + c]!
  })
  return sum
}
