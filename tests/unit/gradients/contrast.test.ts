import { expect, test } from 'vitest'

import { infoNceReference } from '../../reference/infoNce.ts'
import { normaliseRowsBackwardReference, normaliseRowsReference } from '../../reference/normaliseRows.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

test.each([
  { rows: 1, columns: 2, seed: 2300 },
  { rows: 3, columns: 7, seed: 2301 },
])('rows of length 1, [$rows, $columns], seed $seed', ({ rows, columns, seed }) => {
  const x = normals(seed, rows * columns)
  const dy = normals(seed + 1, rows * columns)
  const error = gradientError(
    (point) => inner(normaliseRowsReference(point, columns), dy),
    x,
    normaliseRowsBackwardReference(dy, x, columns),
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})

test.each([
  { roleIds: [0], occurrences: [1], seed: 2310 },
  { roleIds: [2, 0], occurrences: [1, 1, 1, 1], seed: 2311 },
  { roleIds: [3, 1, 3, 0], occurrences: [1, 1, 0, 2, 0], seed: 2312 },
])('InfoNCE of $roleIds against $occurrences, seed $seed', ({ roleIds, occurrences, seed }) => {
  const logits = normals(seed, roleIds.length * occurrences.length, 3)
  const error = gradientError(
    (point) => infoNceReference(point, roleIds, occurrences).loss.reduce((sum, row) => sum + row, 0),
    logits,
    infoNceReference(logits, roleIds, occurrences).gradient,
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
