import { expect, test } from 'vitest'

import { rotaryReference } from '../../reference/rotaryAppend.ts'
import { rotaryBackwardReference } from '../../reference/rotaryBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { mixedRows } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

test.each([
  { heads: 1, headDim: 2, count: 1, position: 0, dim: 2, isInterleaved: false, seed: 1400 },
  { heads: 2, headDim: 8, count: 3, position: 100, dim: 8, isInterleaved: false, seed: 1401 },
  { heads: 1, headDim: 6, count: 2, position: 1, dim: null, isInterleaved: false, seed: 1402 },
  { heads: 2, headDim: 8, count: 3, position: 100, dim: 6, isInterleaved: false, seed: 1403 },
  { heads: 2, headDim: 8, count: 3, position: 100, dim: 4, isInterleaved: true, seed: 1404 },
])('$heads heads of $headDim at $position, $dim of them rotated, seed $seed', (shape) => {
  const { heads, headDim, count, position, dim, isInterleaved, seed } = shape
  const rotation = dim === null ? null : { theta: 10_000, dim, isInterleaved }
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
    (values) => inner(rotaryReference(rows, { ...rest, values }, headDim, 1, rotation), dy),
    normals(seed, size),
    rotaryBackwardReference(rows, dy, heads, headDim, rotation),
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
