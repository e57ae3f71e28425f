import { describe, expect, test } from 'vitest'

import { contrastLoss } from '../../reference/contrast.ts'
import { contrastBackwardReference } from '../../reference/contrastBackward.ts'
import { infoNceReference } from '../../reference/infoNce.ts'
import { normaliseRowsBackwardReference, normaliseRowsReference } from '../../reference/normaliseRows.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { parametersOf, tinyPack } from '../../support/tinyPack.ts'
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

describe.each([
  { form: 'batch', roleIds: [0, 2, 0, 1], seed: 2350 },
  { form: 'batch', roleIds: [1, 1], seed: 2351 },
  { form: 'table', roleIds: [2], seed: 2352 },
  { form: 'table', roleIds: [0, 1, 1], seed: 2353 },
] as const)('the whole loss in the form $form, roles $roleIds, seed $seed', ({ form, roleIds, seed }) => {
  const options = { temperature: 0.4, form }
  const params = parametersOf(tinyPack({ seed }))
  const pooled = normals(seed, roleIds.length * 8)
  const { dPooled, gradients } = contrastBackwardReference(params, pooled, roleIds, options)

  test('of the hidden states', () => {
    const error = gradientError(
      (point) => contrastBackwardReference(params, point, roleIds, options).loss,
      pooled,
      dPooled,
    )
    expect(error).toBeLessThan(GRADIENT_TOLERANCE)
  })

  test.each([...gradients.keys()])('of %s', (name) => {
    const error = gradientError(
      (point) => {
        const moved = new Map<string, ArrayLike<number>>(params).set(name, point)
        return contrastBackwardReference(moved, pooled, roleIds, options).loss
      },
      params.get(name)!,
      gradients.get(name)!,
    )
    expect(error).toBeLessThan(GRADIENT_TOLERANCE)
  })
})

test.each([{ roleIds: [0, 2, 0, 1] }, { roleIds: [1, 1] }, { roleIds: [2] }])(
  'the in-batch form over roles is the one over positives and columns, roles $roleIds',
  ({ roleIds }) => {
    const params = parametersOf(tinyPack())
    const pooled = normals(2355, roleIds.length * 8)
    const { loss } = contrastBackwardReference(params, pooled, roleIds, { temperature: 0.1, form: 'batch' })
    expect(loss).toBeCloseTo(contrastLoss(params, pooled, roleIds, 0.1), 12)
  },
)

test('a batch of one role has no gradient in the in-batch form, and has one against the table', () => {
  const params = parametersOf(tinyPack())
  const largest = (form: 'batch' | 'table'): number => {
    const { dPooled } = contrastBackwardReference(params, normals(2360, 8), [1], { temperature: 0.1, form })
    return Math.max(...dPooled.map(Math.abs))
  }
  expect(largest('batch')).toBe(0)
  expect(largest('table')).toBeGreaterThan(1e-3)
})
