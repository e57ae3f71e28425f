import { describe, expect, test } from 'vitest'

import { layerNormReference } from '../../reference/layerNorm.ts'
import { layerNormBackwardReference } from '../../reference/layerNormBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

describe.each([
  { rows: 2, columns: 1, seed: 2100 },
  { rows: 3, columns: 7, seed: 2101 },
  { rows: 4, columns: 16, seed: 2102 },
])('[$rows, $columns], seed $seed', ({ rows, columns, seed }) => {
  const epsilon = 1e-3
  const x = normals(seed, rows * columns, 2)
  const gain = normals(seed + 1, columns)
  const bias = normals(seed + 2, columns)
  const dy = normals(seed + 3, rows * columns)
  const { dx, dgain, dbias } = layerNormBackwardReference(dy, x, gain, epsilon)

  test.each([
    ['x', x, dx, (p: Float64Array) => layerNormReference(p, gain, bias, epsilon)],
    ['gain', gain, dgain, (p: Float64Array) => layerNormReference(x, p, bias, epsilon)],
    ['bias', bias, dbias, (p: Float64Array) => layerNormReference(x, gain, p, epsilon)],
  ] as const)('of %s', (_, point, gradient, forward) => {
    const error = gradientError((moved) => inner(forward(moved), dy), point, gradient)
    expect(error).toBeLessThan(GRADIENT_TOLERANCE)
  })
})
