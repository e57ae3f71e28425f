import { expect, test } from 'vitest'

import { gatedReference } from '../../reference/gated.ts'
import type { GatedHalf } from '../../reference/gated.ts'
import { gatedBackwardReference } from '../../reference/gatedBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { mixedRows } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

test.each([
  { activation: 'silu', columns: 1, rank: 4, slots: 1, count: 1, spread: 1, seed: 1300 },
  { activation: 'silu', columns: 5, rank: 4, slots: 2, count: 4, spread: 1, seed: 1301 },
  { activation: 'silu', columns: 3, rank: 8, slots: 2, count: 3, spread: 10, seed: 1302 },
  { activation: 'gelu', columns: 1, rank: 4, slots: 1, count: 1, spread: 1, seed: 1400 },
  { activation: 'gelu', columns: 5, rank: 4, slots: 2, count: 4, spread: 1, seed: 1401 },
  { activation: 'gelu', columns: 3, rank: 8, slots: 2, count: 3, spread: 10, seed: 1402 },
] as const)('$activation of [$count, $columns], rank $rank, gate spread $spread, seed $seed', (shape) => {
  const { activation, columns, rank, slots, count, spread, seed } = shape
  const rows = mixedRows(count, slots)
  const half = (first: number, scale: number): GatedHalf => ({
    values: normals(first, count * columns, scale),
    bias: normals(first + 1, columns),
    u: normals(first + 2, count * rank),
    b: Array.from({ length: slots }, (_, slot) => normals(first + 3 + slot, rank * columns)),
  })
  const gate = half(seed, spread)
  const up = half(seed + 10, 1)
  const dy = normals(seed + 20, count * columns)
  const gradient = gatedBackwardReference(activation, rows, dy, gate, up, columns, rank)
  const gateError = gradientError(
    (values) => inner(gatedReference(activation, rows, { ...gate, values }, up, columns, rank), dy),
    gate.values,
    gradient.gate,
  )
  const upError = gradientError(
    (values) => inner(gatedReference(activation, rows, gate, { ...up, values }, columns, rank), dy),
    up.values,
    gradient.up,
  )
  expect(Math.max(gateError, upError)).toBeLessThan(GRADIENT_TOLERANCE)
})
