/** One of q, k, v: values [rows, width], bias, u [rows, rank], B [rank, width] a slot; its norms, if any. */
export interface NormedPart {
  readonly values: ArrayLike<number>
  readonly bias: ArrayLike<number>
  readonly u: ArrayLike<number>
  readonly b: readonly ArrayLike<number>[]
  /** Of as many neighbouring columns as are normalised together. */
  readonly gain: ArrayLike<number> | null
}

/** `p[r, n] = values[r, n] + bias[n] + scale(r)·Σ_j u[r, j]·B[slot(r)][j, n]`. Result [rows, width]. */
export function adaptedReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  { values, bias, u, b }: Omit<NormedPart, 'gain'>,
  rank: number,
): Float64Array {
  const width = bias.length
  return Float64Array.from({ length: rows.length * width }, (_, index) => {
    const [r, n] = [Math.floor(index / width), index % width]
    const { slot, scale } = rows[r]!
    let low = 0
    for (let j = 0; j < rank; j++) low += u[r * rank + j]! * b[slot]![j * width + n]!
    return values[index]! + bias[n]! + scale * low
  })
}

/** p, and of every group of as many columns as there are gains `gain·p / √(mean(p²) + ε)`. Result [rows, width]. */
export function projectionNormReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  part: NormedPart,
  rank: number,
  epsilon: number,
): Float64Array {
  const y = adaptedReference(rows, part, rank)
  const { gain } = part
  if (!gain) return y
  for (let base = 0; base < y.length; base += gain.length) {
    let squares = 0
    for (let c = 0; c < gain.length; c++) squares += y[base + c]! ** 2
    const scale = 1 / Math.sqrt(squares / gain.length + epsilon)
    for (let c = 0; c < gain.length; c++) y[base + c] = gain[c]! * scale * y[base + c]!
  }
  return y
}
