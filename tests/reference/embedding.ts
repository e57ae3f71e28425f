/** `y[r, c] = factor·table[token[r], c]`, table [vocabulary, columns]. */
export function embeddingReference(
  tokens: ArrayLike<number>,
  table: ArrayLike<number>,
  columns: number,
  factor: number,
): Float64Array {
  const y = new Float64Array(tokens.length * columns)
  for (let r = 0; r < tokens.length; r++) {
    for (let c = 0; c < columns; c++) y[r * columns + c] = factor * table[tokens[r]! * columns + c]!
  }
  return y
}
