import { describe, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import { attention } from '../../../src/kernels/attention.ts'
import { attentionCases } from '../../cases/attention.ts'
import { attentionReference } from '../../reference/attention.ts'
import { expectClose } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf } from '../../support/rows.ts'
import { uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** The rows take turns. */
const SEQUENCES = 2

describe.each(attentionCases)(
  '$heads/$kvHeads heads of $headDim at positions $positions, query spread $spread, window $window, seed $seed',
  ({ heads, kvHeads, headDim, positions, spread, scoreScale, window, seed }) => {
    test.each([
      { plan: 'row', tuning: EMULATED },
      { plan: 'row', tuning: CARD },
      { plan: 'rows', tuning: EMULATED },
      { plan: 'rows', tuning: CARD },
      { plan: 'direct', tuning: EMULATED },
    ] as const)(
      '$plan, $tuning: agrees with the reference and never looks ahead',
      async ({ plan, tuning }) => {
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
        const cache = normals(seed + 1, SEQUENCES * 2 * kvHeads * capacity * headDim)
        // What lies behind the last position would spoil every sum.
        for (let head = 0; head < SEQUENCES * 2 * kvHeads; head++) {
          cache.fill(NaN, (head * capacity + capacity - 2) * headDim, (head + 1) * capacity * headDim)
        }
        const rows = positions.map((position, row) => ({
          position,
          slot: 0,
          scale: 0,
          sequence: plan === 'rows' ? 1 : row % SEQUENCES,
        }))
        const width = heads * headDim
        const y = createGuarded(device, [positions.length, width + 4], 'y')
        const tensors = {
          step: uploadStep(device, rows),
          query: uploadTensor(device, [positions.length, width], query, 'query'),
          cache: uploadTensor(device, [SEQUENCES, 2, kvHeads, capacity, headDim], cache, 'cache'),
          y,
        }
        const dispatch = await attention(await testGpu(tuning), shape, tensors, { plan })
        submit(device, [dispatch], positions.length)
        const all = await readGuarded(device, y)
        expectClose(columnsOf(all, width + 4, 0, width), attentionReference(rows, query, cache, shape), 1e-9)
        const spare = columnsOf(all, width + 4, width, 4)
        expectUntouched(spare)
      },
    )
  },
)
