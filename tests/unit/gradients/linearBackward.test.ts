import { describe, expect, test } from 'vitest'

import { linearReference } from '../../reference/linear.ts'
import {
  linearBackwardInputReference,
  linearBackwardWeightReference,
} from '../../reference/linearBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner as innerProduct } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

describe.each([
  { rows: 1, inner: 1, columns: 1, relu: false, scale: 1, seed: 2000 },
  { rows: 5, inner: 3, columns: 7, relu: true, scale: -0.3, seed: 2001 },
  { rows: 4, inner: 6, columns: 2, relu: false, scale: 2, seed: 2002 },
])('[$rows, $inner] → $columns, ReLU $relu, seed $seed', ({ rows, inner, columns, relu, scale, seed }) => {
  const sizes = { rows, inner, columns }
  const x = normals(seed, rows * inner)
  const weight = normals(seed + 1, columns * inner)
  const bias = normals(seed + 2, columns)
  const dy = normals(seed + 3, rows * columns)
  const y = linearReference(x, weight, sizes, { bias, relu })
  const options = { scale, ...(relu && { gate: y }) }
  const { dweight, dbias } = linearBackwardWeightReference(dy, x, sizes, options)
  const dx = linearBackwardInputReference(dy, weight, sizes, options)

  const cases = [
    ['x', x, dx, (p: Float64Array) => linearReference(p, weight, sizes, { bias, relu, scale })],
    ['weight', weight, dweight, (p: Float64Array) => linearReference(x, p, sizes, { bias, relu, scale })],
    ['bias', bias, dbias, (p: Float64Array) => linearReference(x, weight, sizes, { bias: p, relu, scale })],
  ] as const
  test.each(cases)('of %s', (_, point, gradient, forward) => {
    const error = gradientError((moved) => innerProduct(forward(moved), dy), point, gradient)
    expect(error).toBeLessThan(GRADIENT_TOLERANCE)
  })
})
