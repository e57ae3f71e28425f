import { describe, test } from 'vitest'

import { packHalves } from '../../../src/core/half.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import { attention } from '../../../src/kernels/attention.ts'
import { attentionCases } from '../../cases/attention.ts'
import type { AttentionCase } from '../../cases/attention.ts'
import { attentionReference } from '../../reference/attention.ts'
import { expectClose } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { rounded } from '../../support/halves.ts'
import { columnsOf } from '../../support/rows.ts'
import { uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** The rows take turns. */
const SEQUENCES = 2

/** Shape and operands of a case; keys and values as floats, and the same numbers as halves. */
function prepare({ heads, kvHeads, headDim, positions, spread, scoreScale, window, seed }: AttentionCase) {
  const capacity = Math.max(...positions) + 3
  const shape = {
    heads,
    kvHeads,
    headDim,
    capacity,
    ...(scoreScale && { scoreScale }),
    ...(window && { window }),
  }
  const query = normals(seed, positions.length * heads * headDim, spread)
  const cache = rounded(normals(seed + 1, SEQUENCES * 2 * kvHeads * capacity * headDim))
  // What lies behind the last position would spoil every sum.
  for (let head = 0; head < SEQUENCES * 2 * kvHeads; head++) {
    cache.fill(NaN, (head * capacity + capacity - 2) * headDim, (head + 1) * capacity * headDim)
  }
  return { shape, query, cache, halves: packHalves(cache) }
}

describe.each(attentionCases)(
  '$heads/$kvHeads heads of $headDim at positions $positions, query spread $spread, window $window, seed $seed',
  (chosen) => {
    const { heads, kvHeads, headDim, positions } = chosen
    const { shape, query, cache, halves } = prepare(chosen)

    test.each([
      { plan: 'row', tuning: EMULATED },
      { plan: 'row', tuning: CARD },
      { plan: 'rows', tuning: EMULATED },
      { plan: 'rows', tuning: CARD },
      { plan: 'direct', tuning: EMULATED },
    ] as const)(
      '$plan, $tuning: agrees with the reference and never looks ahead',
      async ({ plan, tuning }) => {
        const gpu = await testGpu(tuning)
        const rows = positions.map((position, row) => ({
          position,
          slot: 0,
          scale: 0,
          sequence: plan === 'rows' ? 1 : row % SEQUENCES,
        }))
        const width = heads * headDim
        const expected = attentionReference(rows, query, cache, shape)
        const others = {
          step: uploadStep(device, rows),
          query: uploadTensor(device, [positions.length, width], query, 'query'),
        }
        for (const [words, values] of [[headDim, cache] as const, [headDim / 2, halves] as const]) {
          const y = createGuarded(device, [positions.length, width + 4], 'y')
          const kept = uploadTensor(device, [SEQUENCES, 2, kvHeads, shape.capacity, words], values, 'cache')
          const dispatch = await attention(gpu, shape, { ...others, cache: kept, y }, { plan })
          submit(device, [dispatch], positions.length)
          const all = await readGuarded(device, y)
          expectClose(columnsOf(all, width + 4, 0, width), expected, 1e-9)
          expectUntouched(columnsOf(all, width + 4, width, 4))
        }
      },
    )
  },
)
