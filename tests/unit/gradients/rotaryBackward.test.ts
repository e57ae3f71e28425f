import { expect, test } from 'vitest'

import { rotaryReference } from '../../reference/rotaryAppend.ts'
import { rotaryBackwardReference } from '../../reference/rotaryBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { mixedRows } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

test.each([
  { heads: 1, headDim: 2, count: 1, position: 0, theta: 10000, seed: 1400 },
  { heads: 2, headDim: 8, count: 3, position: 100, theta: 10000, seed: 1401 },
  { heads: 1, headDim: 6, count: 2, position: 1, theta: null, seed: 1402 },
])('$heads heads of $headDim at $position, theta $theta, seed $seed', (shape) => {
  const { heads, headDim, count, position, theta, seed } = shape
  const rows = mixedRows(count, 1, position)
  const size = count * heads * headDim
  const rest = {
    bias: normals(seed + 1, heads * headDim),
    u: normals(seed + 2, count),
    b: [normals(seed + 3, heads * headDim)],
    heads,
  }
  const dy = normals(seed + 4, size)
  const error = gradientError(
    (values) => inner(rotaryReference(rows, { ...rest, values }, headDim, 1, theta), dy),
    normals(seed, size),
    rotaryBackwardReference(rows, dy, heads, headDim, theta),
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
