/** `y = gain · (x − mean) / sqrt(variance + epsilon) + bias` row by row; `x` [rows, columns]. */
export function layerNormReference(
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  bias: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const columns = gain.length
  const y = new Float64Array(x.length)
  for (let row = 0; row < x.length; row += columns) {
    let mean = 0
    for (let c = 0; c < columns; c++) mean += x[row + c]! / columns
    let variance = 0
    for (let c = 0; c < columns; c++) variance += (x[row + c]! - mean) ** 2 / columns
    for (let c = 0; c < columns; c++) {
      y[row + c] = (gain[c]! * (x[row + c]! - mean)) / Math.sqrt(variance + epsilon) + bias[c]!
    }
  }
  return y
}
