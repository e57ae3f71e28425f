/**
 * Gradients of `y = gain · n + bias`, `n = (x − mean) · s`, `s = 1/√(variance + ε)`, row by row, from dy [rows, columns]:
 * `dx = s · (d − mean(d) − n · mean(d · n))` with `d = gain · dy`, `dgain = Σ_r dy · n`, `dbias = Σ_r dy`.
 */
export function layerNormBackwardReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  epsilon: number,
): { readonly dx: Float64Array; readonly dgain: Float64Array; readonly dbias: Float64Array } {
  const columns = gain.length
  const dx = new Float64Array(x.length)
  const dgain = new Float64Array(columns)
  const dbias = new Float64Array(columns)
  for (let row = 0; row < x.length; row += columns) {
    let mean = 0
    for (let c = 0; c < columns; c++) mean += x[row + c]! / columns
    let variance = 0
    for (let c = 0; c < columns; c++) variance += (x[row + c]! - mean) ** 2 / columns
    const scale = 1 / Math.sqrt(variance + epsilon)
    let meanOfD = 0
    let meanOfDN = 0
    for (let c = 0; c < columns; c++) {
      const normed = (x[row + c]! - mean) * scale
      meanOfD += (gain[c]! * dy[row + c]!) / columns
      meanOfDN += (gain[c]! * dy[row + c]! * normed) / columns
      dgain[c]! += dy[row + c]! * normed
      dbias[c]! += dy[row + c]!
    }
    for (let c = 0; c < columns; c++) {
      const normed = (x[row + c]! - mean) * scale
      dx[row + c] = scale * (gain[c]! * dy[row + c]! - meanOfD - normed * meanOfDN)
    }
  }
  return { dx, dgain, dbias }
}
