import { expect } from 'vitest'

/** Normalised mean squared error: Σ(y − ŷ)² / Σŷ², ŷ the reference; infinite where any value is not finite. */
export function nmse(actual: ArrayLike<number>, reference: ArrayLike<number>): number {
  if (actual.length !== reference.length)
    throw new Error(`${actual.length} values, expected ${reference.length}`)
  let error = 0
  let power = 0
  for (let i = 0; i < reference.length; i++) {
    const difference = actual[i]! - reference[i]!
    error += difference * difference
    power += reference[i]! * reference[i]!
  }
  if (!Number.isFinite(error)) return Infinity
  if (power === 0) return error === 0 ? 0 : Infinity
  return error / power
}

/** Asserts that the values agree with the reference to the given NMSE. */
export function expectClose(
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  tolerance = 1e-10,
): void {
  expect(nmse(actual, reference)).toBeLessThanOrEqual(tolerance)
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

/** Asserts that two arrays hold the same bits. */
export function expectSameBits(actual: Float32Array, expected: Float32Array): void {
  expect(bytesOf(actual).equals(bytesOf(expected))).toBe(true)
}
