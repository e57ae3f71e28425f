import type { ReferenceRotation } from '../reference/rotation.ts'

/** Cosines and sines of every position and pair, [positions, dim / 2, 2]; of no rotation one pair that nobody reads. */
export function angleTable(
  { theta, dim }: ReferenceRotation,
  positions: number,
): { readonly shape: readonly number[]; readonly values: Float32Array<ArrayBuffer> } {
  const pairs = Math.max(1, dim / 2)
  const values = Float32Array.from({ length: positions * pairs * 2 }, (_, index) => {
    const pair = Math.floor(index / 2) % pairs
    const angle = Math.floor(index / (2 * pairs)) * theta ** (-pair / pairs)
    return index % 2 === 0 ? Math.cos(angle) : Math.sin(angle)
  })
  return { shape: [positions, pairs, 2], values }
}
