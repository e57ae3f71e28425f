/** Words of the buffer that tells kernels what to drop: seed, threshold, scale, one unused. */
export const DROPOUT_WORDS = 4

/**
 * The bytes of a dropout buffer. An input (row, column) of an adapter is dropped where a hash of the seed, the salt of
 * the place, the row and the column is below the threshold, `probability · 2³²`; what is kept is scaled by
 * `1 / (1 − probability)`. The same words give the same mask in the forward and the backward pass.
 */
export function packDropout(seed: number, probability: number): ArrayBuffer {
  const words = new DataView(new ArrayBuffer(4 * DROPOUT_WORDS))
  words.setUint32(0, seed, true)
  words.setUint32(4, Math.floor(probability * 2 ** 32), true)
  words.setFloat32(8, 1 / (1 - probability), true)
  return words.buffer
}
