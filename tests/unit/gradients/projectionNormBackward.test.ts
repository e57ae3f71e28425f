import { expect, test } from 'vitest'

import { projectionNormCases } from '../../cases/projectionNorm.ts'
import { projectionNormReference } from '../../reference/projectionNorm.ts'
import { projectionNormBackwardReference } from '../../reference/projectionNormBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normedParts } from '../../support/normedParts.ts'
import { mixedRows } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const small = projectionNormCases.filter(({ heads, headDim, rows }) => heads * headDim * rows < 1000)

test.each(small)('$heads/$kvHeads heads of $headDim, $rows rows, seed $seed', (shape) => {
  const rows = mixedRows(shape.rows, shape.slots)
  const epsilon = 1e-3
  normedParts(shape).forEach((part, at) => {
    const b = Array.from({ length: shape.slots }, (_, slot) =>
      normals(shape.seed + 30 + 3 * slot + at, shape.rank * part.bias.length),
    )
    const dy = normals(shape.seed + 20 + at, part.values.length)
    const error = gradientError(
      (values) => inner(projectionNormReference(rows, { ...part, values, b }, shape.rank, epsilon), dy),
      part.values,
      projectionNormBackwardReference(rows, dy, { ...part, b }, shape.rank, epsilon),
    )
    expect(error).toBeLessThan(GRADIENT_TOLERANCE)
  })
})
