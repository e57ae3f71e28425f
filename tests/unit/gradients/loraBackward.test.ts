import { describe, expect, test } from 'vitest'

import { dropoutReference } from '../../reference/dropout.ts'
import {
  loraBackwardAReference,
  loraBackwardBReference,
  loraBackwardUpReference,
} from '../../reference/loraBackward.ts'
import { loraDownReference, loraReference } from '../../reference/loraDown.ts'
import { projectReference } from '../../reference/project.ts'
import { loraBackwardInputReference, projectBackwardReference } from '../../reference/projectBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { mixedRows } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const cases = [
  { count: 1, inFeatures: 1, widths: [1], rank: 1, slots: 1, probability: 0, seed: 1500 },
  { count: 3, inFeatures: 5, widths: [4, 2, 2], rank: 2, slots: 2, probability: 0.5, seed: 1501 },
  { count: 6, inFeatures: 4, widths: [3, 3], rank: 3, slots: 2, probability: 0.1, seed: 1502 },
]

/** The same matrices with one of them moved. */
const moved = (from: readonly Float64Array[][], part: number, slot: number, matrix: Float64Array) =>
  from.map((inPart, p) => inPart.map((inSlot, s) => (p === part && s === slot ? matrix : inSlot)))

describe.each(cases)(
  '[$count, $inFeatures] to $widths, rank $rank, $slots slots, dropout $probability, seed $seed',
  ({ count, inFeatures, widths, rank, slots, probability, seed }) => {
    const rows = mixedRows(count, slots)
    const out = widths.reduce((sum, width) => sum + width, 0)
    const x = normals(seed, count * inFeatures)
    const weights = normals(seed + 1, out * inFeatures)
    const dy = normals(seed + 2, count * out)
    const drop = dropoutReference(count, inFeatures, { seed, salt: 3, probability })
    const matrices = (first: number, lengths: readonly number[]) =>
      lengths.map((length, part) =>
        Array.from({ length: slots }, (_, slot) =>
          Float64Array.from(normals(first + 10 * slot + part, length)),
        ),
      )
    const a = matrices(
      seed + 100,
      widths.map(() => inFeatures * rank),
    )
    const b = matrices(
      seed + 200,
      widths.map((width) => rank * width),
    )
    const du = loraBackwardUpReference(rows, dy, b, rank)
    const places = widths.flatMap((_, part) =>
      Array.from({ length: slots }, (_slot, slot) => [part, slot] as const),
    )

    test('input', () => {
      const base = projectBackwardReference(dy, weights, inFeatures, out)
      const adapted = loraBackwardInputReference(rows, drop, du, a, rank)
      const error = gradientError(
        (point) =>
          inner(projectReference(point, weights, inFeatures, out), dy) +
          inner(loraReference(rows, point, drop, a, b, rank), dy),
        x,
        base.map((value, index) => value + adapted[index]!),
      )
      expect(error).toBeLessThan(GRADIENT_TOLERANCE)
    })

    test.each(places)('A and B of part %i, slot %i', (part, slot) => {
      const da = loraBackwardAReference(rows, x, drop, du, { parts: widths.length, rank, slots })
      const u = loraDownReference(rows, x, drop, a, rank)
      const db = loraBackwardBReference(rows, u, dy, widths, rank, slots)
      const errorOfA = gradientError(
        (point) => inner(loraReference(rows, x, drop, moved(a, part, slot, point), b, rank), dy),
        a[part]![slot]!,
        da[part]![slot]!,
      )
      const errorOfB = gradientError(
        (point) => inner(loraReference(rows, x, drop, a, moved(b, part, slot, point), rank), dy),
        b[part]![slot]!,
        db[part]![slot]!,
      )
      expect(Math.max(errorOfA, errorOfB)).toBeLessThan(GRADIENT_TOLERANCE)
    })
  },
)

test('dropout leaves the mean, and neighbours drop on their own', () => {
  const [rows, columns, probability] = [64, 512, 0.25]
  const mask = dropoutReference(rows, columns, { seed: 1, salt: 2, probability })
  const other = dropoutReference(rows, columns, { seed: 1, salt: 3, probability })
  const share = (isDropped: (index: number) => boolean): number =>
    mask.reduce((count, _, index) => count + (isDropped(index) ? 1 : 0), 0) / mask.length
  // Standard deviations of these shares are below 0.003.
  expect(share((index) => mask[index] === 0)).toBeCloseTo(probability, 1.7)
  expect(share((index) => mask[index] === 0 && mask[index + 1] === 0)).toBeCloseTo(probability ** 2, 1.7)
  expect(share((index) => mask[index] === 0 && mask[index + columns] === 0)).toBeCloseTo(
    probability ** 2,
    1.7,
  )
  expect(share((index) => mask[index] === 0 && other[index] === 0)).toBeCloseTo(probability ** 2, 1.7)
})
