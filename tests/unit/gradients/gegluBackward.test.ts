import { expect, test } from 'vitest'

import { gegluReference } from '../../reference/geglu.ts'
import type { SwigluHalf } from '../../reference/swiglu.ts'
import { gegluBackwardReference } from '../../reference/gegluBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { mixedRows } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

test.each([
  { columns: 1, rank: 4, slots: 1, count: 1, spread: 1, seed: 1400 },
  { columns: 5, rank: 4, slots: 2, count: 4, spread: 1, seed: 1401 },
  { columns: 3, rank: 8, slots: 2, count: 3, spread: 10, seed: 1402 },
])('[$count, $columns], rank $rank, gate spread $spread, seed $seed', (shape) => {
  const { columns, rank, slots, count, spread, seed } = shape
  const rows = mixedRows(count, slots)
  const half = (first: number, scale: number): SwigluHalf => ({
    values: normals(first, count * columns, scale),
    bias: normals(first + 1, columns),
    u: normals(first + 2, count * rank),
    b: Array.from({ length: slots }, (_, slot) => normals(first + 3 + slot, rank * columns)),
  })
  const gate = half(seed, spread)
  const up = half(seed + 10, 1)
  const dy = normals(seed + 20, count * columns)
  const gradient = gegluBackwardReference(rows, dy, gate, up, columns, rank)
  const gateError = gradientError(
    (values) => inner(gegluReference(rows, { ...gate, values }, up, columns, rank), dy),
    gate.values,
    gradient.gate,
  )
  const upError = gradientError(
    (values) => inner(gegluReference(rows, gate, { ...up, values }, columns, rank), dy),
    up.values,
    gradient.up,
  )
  expect(Math.max(gateError, upError)).toBeLessThan(GRADIENT_TOLERANCE)
})
