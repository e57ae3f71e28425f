import { rotateHeads } from './rotation.ts'
import type { ReferenceRotation } from './rotation.ts'

/** One of q, k, v before the rotation: values [rows, heads·headDim], bias, u [rows, rank], B [rank, heads·headDim] a slot. */
export interface RotaryPart {
  readonly values: ArrayLike<number>
  readonly bias: ArrayLike<number>
  readonly u: ArrayLike<number>
  readonly b: readonly ArrayLike<number>[]
  readonly heads: number
}

/**
 * `p[r, n] = values[r, n] + bias[n] + scale(r)·Σ_j u[r, j]·B[slot(r)][j, n]`, then, where there is a rotation, each pair of a
 * head turned by the angle of its row's position. Result [rows, heads·headDim].
 */
export function rotaryReference(
  rows: readonly { readonly position: number; readonly slot: number; readonly scale: number }[],
  part: RotaryPart,
  headDim: number,
  rank: number,
  rotation: ReferenceRotation | null,
): Float64Array {
  const width = part.heads * headDim
  const y = new Float64Array(rows.length * width)
  for (let r = 0; r < rows.length; r++) {
    const { slot, scale } = rows[r]!
    for (let n = 0; n < width; n++) {
      let low = 0
      for (let j = 0; j < rank; j++) low += part.u[r * rank + j]! * part.b[slot]![j * width + n]!
      y[r * width + n] = part.values[r * width + n]! + part.bias[n]! + scale * low
    }
  }
  const positions = rows.map(({ position }) => position)
  if (rotation) rotateHeads(y, positions, part.heads, headDim, rotation)
  return y
}
