import { adaptedReference } from './projectionNorm.ts'
import type { NormedPart } from './projectionNorm.ts'

/**
 * Gradient of `projectionNormReference` with respect to the part's values, from dy [rows, width]: of every group of columns
 * `s·gain·dy − s³·p·mean(dy·gain·p)`, `s = 1/√(mean(p²) + ε)`; without gains dy.
 */
export function projectionNormBackwardReference(
  rows: readonly { readonly slot: number; readonly scale: number }[],
  dy: ArrayLike<number>,
  part: NormedPart,
  rank: number,
  epsilon: number,
): Float64Array {
  const { gain } = part
  if (!gain) return Float64Array.from(dy)
  const p = adaptedReference(rows, part, rank)
  const dx = new Float64Array(p.length)
  const columns = gain.length
  for (let base = 0; base < p.length; base += columns) {
    let squares = 0
    let along = 0
    for (let c = 0; c < columns; c++) {
      squares += p[base + c]! ** 2
      along += dy[base + c]! * gain[c]! * p[base + c]!
    }
    const s = 1 / Math.sqrt(squares / columns + epsilon)
    for (let c = 0; c < columns; c++) {
      dx[base + c] = s * gain[c]! * dy[base + c]! - ((s ** 3 * along) / columns) * p[base + c]!
    }
  }
  return dx
}
