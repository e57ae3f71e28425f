import { expect, test } from 'vitest'

import { divergence } from '../../../src/model/decoder/divergence.ts'

const P = [0.5, 0.25, 0.25] as const
const Q = [0.2, 0.3, 0.5] as const

/** Logits of probabilities, up to a constant. */
function logits(probabilities: readonly number[], shift: number): number[] {
  return probabilities.map((value) => Math.log(value) + shift)
}

test('the divergence of distributions is that of their probabilities', () => {
  const expected = P[0] * Math.log(P[0] / Q[0]) + P[1] * Math.log(P[1] / Q[1]) + P[2] * Math.log(P[2] / Q[2])
  expect(divergence(logits(P, 0), logits(Q, 0))).toBeCloseTo(expected, 12)
  expect(divergence(logits(P, 1000), logits(Q, -1000))).toBeCloseTo(expected, 10)
  expect(divergence(logits(P, 3), logits(P, 5))).toBeCloseTo(0, 12)
})
