import { expect, test } from 'vitest'

import { gatherRowsReference, scatterAddRowsReference } from '../../reference/gatherRows.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

test.each([
  { sources: 1, columns: 1, index: [0], seed: 1200 },
  { sources: 5, columns: 3, index: [4, 0, 2], seed: 1201 },
])('rows $index of [$sources, $columns], seed $seed', ({ sources, columns, index, seed }) => {
  const x = normals(seed, sources * columns)
  const dy = normals(seed + 1, index.length * columns)
  const error = gradientError(
    (point) => inner(gatherRowsReference(point, index, columns), dy),
    x,
    scatterAddRowsReference(new Float64Array(x.length), dy, index, columns),
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
