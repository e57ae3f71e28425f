/** One of q, k, v before the rotation: values [rows, heads·headDim], bias, u [rows, rank], B [rank, heads·headDim] a slot. */
export interface RotaryPart {
  readonly values: ArrayLike<number>
  readonly bias: ArrayLike<number>
  readonly u: ArrayLike<number>
  readonly b: readonly ArrayLike<number>[]
  readonly heads: number
}

/**
 * `p[r, n] = values[r, n] + bias[n] + scale(r)·Σ_j u[r, j]·B[slot(r)][j, n]`, then, where `theta` is given, each pair
 * `(p[i], p[i + headDim/2])` of a head turned by the angle `position(r)·theta^(−2i/headDim)`. Result [rows, heads·headDim].
 */
export function rotaryReference(
  rows: readonly { readonly position: number; readonly slot: number; readonly scale: number }[],
  part: RotaryPart,
  headDim: number,
  rank: number,
  theta: number | null,
): Float64Array {
  const width = part.heads * headDim
  const y = new Float64Array(rows.length * width)
  for (let r = 0; r < rows.length; r++) {
    const { position, slot, scale } = rows[r]!
    for (let n = 0; n < width; n++) {
      let low = 0
      for (let j = 0; j < rank; j++) low += part.u[r * rank + j]! * part.b[slot]![j * width + n]!
      y[r * width + n] = part.values[r * width + n]! + part.bias[n]! + scale * low
    }
    if (theta === null) continue
    for (let head = 0; head < part.heads; head++) {
      for (let i = 0; i < headDim / 2; i++) {
        const angle = position * theta ** ((-2 * i) / headDim)
        const first = r * width + head * headDim + i
        const second = first + headDim / 2
        const [p, q] = [y[first]!, y[second]!]
        y[first] = p * Math.cos(angle) - q * Math.sin(angle)
        y[second] = q * Math.cos(angle) + p * Math.sin(angle)
      }
    }
  }
  return y
}
