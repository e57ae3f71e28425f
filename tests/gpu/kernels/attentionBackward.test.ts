import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { attention } from '../../../src/kernels/attention.ts'
import { attentionBackwardCache } from '../../../src/kernels/attentionBackwardCache.ts'
import { attentionBackwardQuery } from '../../../src/kernels/attentionBackwardQuery.ts'
import { attentionBackwardReference } from '../../reference/attentionBackward.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { uploadRows } from '../../support/rows.ts'
import { sequenceRows, uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** 1; a tile ± 1 of rows; several sequences in a tile and a sequence over several; narrow, odd, real and wide heads; a sharp softmax; another scale; windows within and over tiles. */
const cases = [
  { heads: 1, kvHeads: 1, headDim: 4, lengths: [1], spread: 1, seed: 1610 },
  { heads: 2, kvHeads: 1, headDim: 16, lengths: [3, 1, 7], spread: 1, seed: 1611 },
  { heads: 4, kvHeads: 2, headDim: 64, lengths: [31, 33], spread: 1, seed: 1612 },
  { heads: 9, kvHeads: 3, headDim: 64, lengths: [32, 5], spread: 1, seed: 1613 },
  { heads: 3, kvHeads: 3, headDim: 80, lengths: [70], spread: 1, seed: 1614 },
  { heads: 2, kvHeads: 1, headDim: 36, lengths: [20, 66, 3], spread: 1, seed: 1615 },
  { heads: 2, kvHeads: 2, headDim: 256, lengths: [9, 30], spread: 1, seed: 1616 },
  { heads: 2, kvHeads: 1, headDim: 64, lengths: [40], spread: 10, seed: 1617 },
  { heads: 4, kvHeads: 2, headDim: 64, lengths: [9, 33], spread: 1, scoreScale: 0.3, seed: 1618 },
  { heads: 2, kvHeads: 1, headDim: 16, lengths: [70, 3], spread: 1, window: 2, seed: 1619 },
  { heads: 4, kvHeads: 2, headDim: 64, lengths: [9, 100], spread: 1, window: 7, seed: 1620 },
  { heads: 2, kvHeads: 2, headDim: 36, lengths: [20, 130, 5], spread: 1, window: 40, seed: 1621 },
]

const PLANS = ['tile', 'direct'] as const

describe.each(cases.flatMap((shape) => PLANS.map((plan) => ({ ...shape, plan }))))(
  '$plan: $heads/$kvHeads heads of $headDim, sequences of $lengths, query spread $spread, window $window, seed $seed',
  ({ plan, heads, kvHeads, headDim, lengths, spread, scoreScale, window, seed }) => {
    const rows = sequenceRows(lengths, 1)
    const capacity = Math.max(...lengths) + 3
    const sequences = lengths.length
    const shape = {
      heads,
      kvHeads,
      headDim,
      capacity,
      ...(scoreScale && { scoreScale }),
      ...(window && { window }),
    }
    const width = heads * headDim
    const cacheShape = [sequences, 2, kvHeads, capacity, headDim]
    const query = normals(seed, rows.length * width, spread)
    const dy = normals(seed + 1, rows.length * width)
    const isBeyond = (index: number): boolean =>
      Math.floor(index / headDim) % capacity >=
      lengths[Math.floor(index / (2 * kvHeads * capacity * headDim))]!
    // What lies behind a sequence's last position would spoil every sum.
    const cache = normals(seed + 2, sequences * 2 * kvHeads * capacity * headDim).map((value, index) =>
      isBeyond(index) ? NaN : value,
    )

    const inside = (values: ArrayLike<number>): number[] =>
      Array.from(values).filter((_, index) => !isBeyond(index))

    const run = async () => {
      const dquery = createGuarded(device, [rows.length, width], 'dquery')
      const stats = createGuarded(device, [rows.length, heads, 2], 'stats')
      const dcache = createGuarded(device, cacheShape, 'dcache')
      const tensors = {
        step: uploadStep(device, rows),
        query: uploadTensor(device, [rows.length, width], query, 'query'),
        cache: uploadTensor(device, cacheShape, cache, 'cache'),
        y: createTensor(device, [rows.length, width + 4], 'y'),
        dy: uploadRows(device, dy, width, width + 8, 'dy'),
        dquery,
        stats,
        dcache,
      }
      const gpu = await testGpu({ manyRows: plan })
      const dispatches = await Promise.all([
        attention(gpu, shape, tensors, { plan: 'row' }),
        attentionBackwardQuery(gpu, shape, tensors),
        attentionBackwardCache(gpu, shape, tensors),
      ])
      submit(device, dispatches, rows.length)
      return {
        dquery: await readGuarded(device, dquery),
        stats: await readGuarded(device, stats),
        dcache: await readGuarded(device, dcache),
      }
    }

    test('agrees with the reference, twice to the bit', async () => {
      const expected = attentionBackwardReference(rows, query, cache, dy, { ...shape, sequences })
      const actual = await run()
      expect(nmse(actual.stats, expected.stats)).toBeLessThanOrEqual(1e-10)
      expect(nmse(actual.dquery, expected.dquery)).toBeLessThanOrEqual(1e-9)
      expect(nmse(inside(actual.dcache), inside(expected.dcache))).toBeLessThanOrEqual(1e-9)
      const words = new Uint32Array(actual.dcache.slice().buffer)
      expectUntouched(words.filter((_, index) => isBeyond(index)))
      const again = await run()
      expectSameBits(again.dquery, actual.dquery)
      expectSameBits(again.dcache, actual.dcache)
    })
  },
)
