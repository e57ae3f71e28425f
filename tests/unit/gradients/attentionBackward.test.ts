import { expect, test } from 'vitest'

import { attentionReference } from '../../reference/attention.ts'
import { attentionBackwardReference } from '../../reference/attentionBackward.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

test.each([
  { heads: 1, kvHeads: 1, headDim: 1, positions: [0], spread: 1, seed: 1600 },
  { heads: 2, kvHeads: 1, headDim: 3, positions: [0, 1, 2, 3], spread: 1, seed: 1601 },
  { heads: 4, kvHeads: 2, headDim: 2, positions: [0, 2, 1], spread: 5, seed: 1602 },
  { heads: 2, kvHeads: 1, headDim: 3, positions: [0, 1, 2], spread: 1, scoreScale: 0.3, seed: 1603 },
  { heads: 2, kvHeads: 1, headDim: 3, positions: [0, 1, 2, 3, 4], spread: 1, window: 2, seed: 1604 },
])('$heads/$kvHeads heads of $headDim at $positions, query spread $spread, seed $seed', (attention) => {
  const {
    heads,
    kvHeads,
    headDim,
    positions,
    spread,
    scoreScale = headDim ** -0.5,
    window = Infinity,
    seed,
  } = attention
  const capacity = Math.max(...positions) + 2
  const shape = { heads, kvHeads, headDim, capacity, sequences: 1, scoreScale, window }
  const size = positions.length * heads * headDim
  const query = normals(seed, size, spread)
  const cache = normals(seed + 1, 2 * kvHeads * capacity * headDim)
  const dy = normals(seed + 2, size)
  const rows = positions.map((position) => ({ position }))
  const { dquery, dcache } = attentionBackwardReference(rows, query, cache, dy, shape)
  const ofQuery = gradientError(
    (point) => inner(attentionReference(rows, point, cache, shape), dy),
    query,
    dquery,
  )
  const ofCache = gradientError(
    (point) => inner(attentionReference(rows, query, point, shape), dy),
    cache,
    dcache,
  )
  expect(Math.max(ofQuery, ofCache)).toBeLessThan(GRADIENT_TOLERANCE)
})
