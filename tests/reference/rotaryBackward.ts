import { rotateHeads } from './rotation.ts'
import type { ReferenceRotation } from './rotation.ts'

/** Gradient of queries or keys before their rotation from dy [rows, heads·headDim]: each pair turned back; without one dy. */
export function rotaryBackwardReference(
  rows: readonly { readonly position: number }[],
  dy: ArrayLike<number>,
  heads: number,
  headDim: number,
  rotation: ReferenceRotation | null,
): Float64Array {
  const dp = Float64Array.from(dy)
  const positions = rows.map(({ position }) => position)
  if (rotation) rotateHeads(dp, positions, heads, headDim, rotation, -1)
  return dp
}
