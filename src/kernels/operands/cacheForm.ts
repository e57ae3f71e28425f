import { check } from '../../core/errors.ts'
import type { Tensor } from '../../gpu/tensor.ts'

/**
 * Whether a cache [sequences, 2, kvHeads, capacity, words] holds halves, two to a word, or floats: its last dimension tells.
 *
 * @throws HycoraError `shape-mismatch` when it is of neither.
 */
export function holdsHalves({ shape }: Tensor, headDim: number): boolean {
  const words = shape.at(-1) ?? 0
  check(
    shape.length === 5 && (words === headDim || words === headDim / 2),
    'shape-mismatch',
    () =>
      `cache has shape [${shape.join(', ')}], expected 5 dimensions, the last of ${headDim} or ${headDim / 2}`,
  )
  return words < headDim
}
