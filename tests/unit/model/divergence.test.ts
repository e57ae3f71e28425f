import { expect, test } from 'vitest'

import { divergence } from '../../../src/model/decoder/divergence.ts'

test('the divergence of distributions is that of their probabilities', () => {
  const [p, q] = [
    [0.5, 0.25, 0.25],
    [0.2, 0.3, 0.5],
  ]
  const expected = p!.reduce((sum, value, t) => sum + value * Math.log(value / q![t]!), 0)
  const logits = (values: number[], shift: number): number[] => values.map((value) => Math.log(value) + shift)
  expect(divergence(logits(p!, 0), logits(q!, 0))).toBeCloseTo(expected, 12)
  // Logits are up to a constant, and may be large.
  expect(divergence(logits(p!, 1000), logits(q!, -1000))).toBeCloseTo(expected, 12)
  expect(divergence(logits(p!, 3), logits(p!, 5))).toBeCloseTo(0, 12)
})
