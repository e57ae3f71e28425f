/** The hash form of PCG32 on 32 bits (Jarzynski & Olano, "Hash Functions for GPU Rendering", 2020). */
function pcg(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0
  const word = Math.imul(((state >>> ((state >>> 28) + 4)) ^ state) >>> 0, 277803737) >>> 0
  return ((word >>> 22) ^ word) >>> 0
}

/** What an adapter's inputs [rows, columns] are multiplied with: 0 with the given probability, else 1 / (1 − probability). */
export function dropoutReference(
  rows: number,
  columns: number,
  { seed, salt, probability }: { readonly seed: number; readonly salt: number; readonly probability: number },
): Float64Array {
  const threshold = Math.floor(probability * 2 ** 32)
  const mask = new Float64Array(rows * columns)
  for (let r = 0; r < rows; r++) {
    const key = pcg((r + pcg((salt + pcg(seed)) >>> 0)) >>> 0)
    for (let k = 0; k < columns; k++) {
      mask[r * columns + k] = pcg((key + k) >>> 0) < threshold ? 0 : 1 / (1 - probability)
    }
  }
  return mask
}
