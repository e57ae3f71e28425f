import { expect, test } from 'vitest'

import { crossEntropyReference } from '../../reference/crossEntropy.ts'
import { GRADIENT_TOLERANCE, gradientError } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

test.each([
  { vocabulary: 1, targets: [0], spread: 1, seed: 1100 },
  { vocabulary: 7, targets: [3, 0, 6], spread: 1, seed: 1101 },
  { vocabulary: 11, targets: [10, 4], spread: 10, seed: 1102 },
])('targets $targets of $vocabulary, spread $spread, seed $seed', ({ vocabulary, targets, spread, seed }) => {
  const logits = normals(seed, targets.length * vocabulary, spread)
  const weights = normals(seed + 1, targets.length)
  const error = gradientError(
    (point) => crossEntropyReference(point, targets, weights).loss.reduce((sum, row) => sum + row, 0),
    logits,
    crossEntropyReference(logits, targets, weights).gradient,
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
