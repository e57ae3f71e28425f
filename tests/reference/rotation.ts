/** How the heads of queries and keys are rotated; `dim` 0 for not at all. */
export interface ReferenceRotation {
  readonly theta: number
  /** The first so many dimensions of a head. */
  readonly dim: number
  readonly isInterleaved: boolean
}

/**
 * Turns the pairs of each head [rows·heads, headDim] by `sign·position(r)·theta^(−2i/dim)`, in place: pair i is dimensions
 * 2i and 2i + 1 where they are interleaved, else i and i + dim/2.
 */
export function rotateHeads(
  x: Float64Array,
  positions: readonly number[],
  heads: number,
  headDim: number,
  { theta, dim, isInterleaved }: ReferenceRotation,
  sign: 1 | -1 = 1,
): void {
  positions.forEach((position, r) => {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < dim / 2; i++) {
        const angle = sign * position * theta ** ((-2 * i) / dim)
        const base = (r * heads + head) * headDim
        const [first, second] = isInterleaved
          ? [base + 2 * i, base + 2 * i + 1]
          : [base + i, base + i + dim / 2]
        const [p, q] = [x[first]!, x[second]!]
        x[first] = p * Math.cos(angle) - q * Math.sin(angle)
        x[second] = q * Math.cos(angle) + p * Math.sin(angle)
      }
    }
  })
}
