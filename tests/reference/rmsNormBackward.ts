/**
 * Gradient of `y[r, c] = gain[c]·x[r, c] / √(mean_c(x[r, c]²) + ε)` with respect to x, from dy [rows, columns]:
 * `dx[r, c] = s·gain[c]·dy[r, c] − s³/columns·x[r, c]·Σ_i dy[r, i]·gain[i]·x[r, i]`, `s = 1/√(mean_c(x[r, c]²) + ε)`.
 */
export function rmsNormBackwardReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  gain: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const columns = gain.length
  const dx = new Float64Array(x.length)
  for (let base = 0; base < x.length; base += columns) {
    let squares = 0
    let along = 0
    for (let c = 0; c < columns; c++) {
      squares += x[base + c]! ** 2
      along += dy[base + c]! * gain[c]! * x[base + c]!
    }
    const scale = 1 / Math.sqrt(squares / columns + epsilon)
    for (let c = 0; c < columns; c++) {
      dx[base + c] = scale * gain[c]! * dy[base + c]! - ((scale ** 3 * along) / columns) * x[base + c]!
    }
  }
  return dx
}
