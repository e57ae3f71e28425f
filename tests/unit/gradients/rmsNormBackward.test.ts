import { expect, test } from 'vitest'

import { addRmsNormReference } from '../../reference/addRmsNorm.ts'
import { rmsNormBackwardReference } from '../../reference/rmsNormBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

test.each([
  { rows: 1, columns: 1, spread: 1, seed: 1000 },
  { rows: 2, columns: 7, spread: 1, seed: 1001 },
  { rows: 3, columns: 16, spread: 1e-2, seed: 1002 },
])('[$rows, $columns], spread $spread, seed $seed', ({ rows, columns, spread, seed }) => {
  const x = normals(seed, rows * columns, spread)
  const gain = normals(seed + 1, columns)
  const dy = normals(seed + 2, rows * columns)
  const roles = Array.from({ length: rows }, () => ({ slot: 0, scale: 0 }))
  const epsilon = 1e-3
  const error = gradientError(
    (residual) => inner(addRmsNormReference(roles, { residual, gain }, epsilon).y, dy),
    x,
    rmsNormBackwardReference(dy, x, gain, epsilon),
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
