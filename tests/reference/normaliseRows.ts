/** `y[r, c] = x[r, c] / ‖x[r]‖`, x [rows, columns]. */
export function normaliseRowsReference(x: ArrayLike<number>, columns: number): Float64Array {
  const y = new Float64Array(x.length)
  for (let row = 0; row < x.length; row += columns) {
    let squares = 0
    for (let c = 0; c < columns; c++) squares += x[row + c]! ** 2
    for (let c = 0; c < columns; c++) y[row + c] = x[row + c]! / Math.sqrt(squares)
  }
  return y
}

/** Gradient of the above from dy [rows, columns]: `dx[r] = (dy[r] − y[r]·(y[r]·dy[r])) / ‖x[r]‖`. */
export function normaliseRowsBackwardReference(
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
  columns: number,
): Float64Array {
  const dx = new Float64Array(x.length)
  for (let row = 0; row < x.length; row += columns) {
    let squares = 0
    let along = 0
    for (let c = 0; c < columns; c++) {
      squares += x[row + c]! ** 2
      along += x[row + c]! * dy[row + c]!
    }
    for (let c = 0; c < columns; c++) {
      dx[row + c] = (dy[row + c]! - (x[row + c]! * along) / squares) / Math.sqrt(squares)
    }
  }
  return dx
}
