import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { mixRows } from '../../../src/kernels/mixRows.ts'
import { mixRowsCases } from '../../cases/mixRows.ts'
import { mixRowsReference } from '../../reference/mixRows.ts'
import { expectClose } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

describe('mix_rows', () => {
  describe.each(mixRowsCases)('[$sources, $columns], seed $seed', ({ sources, columns, seed }) => {
    test.each([false, true])('accumulate %s', async (accumulate) => {
      const device = await testDevice()
      const x = normals(seed, sources * columns)
      const before = normals(seed + 100, 3 * columns)
      const last = sources - 1
      const mixes = [
        { slot: 2, terms: [{ source: last, weight: 1 }] },
        {
          slot: 0,
          terms: [
            { source: 0, weight: -0.5 },
            { source: last, weight: 1.25 },
          ],
        },
      ]
      const y = createGuarded(device, [3, columns], 'y')
      device.queue.writeBuffer(y.buffer, 0, before)
      const dispatch = await mixRows(
        device,
        {
          x: uploadTensor(device, [sources, columns], x, 'x'),
          sources: uploadTensor(device, [2, 2], Uint32Array.of(last, 0, 0, last), 'sources'),
          weights: uploadTensor(device, [2, 2], Float32Array.of(1, 0, -0.5, 1.25), 'weights'),
          slots: uploadTensor(device, [2], Uint32Array.of(2, 0), 'slots'),
          y,
        },
        { accumulate },
      )
      submit(device, [dispatch], 2)
      const expected = Float64Array.from(before)
      for (const { slot, terms } of mixes) {
        const first = slot * columns
        mixRowsReference(x, columns, terms).forEach((value, c) => {
          expected[first + c] = (accumulate ? before[first + c]! : 0) + value
        })
      }
      expectClose(await readGuarded(device, y), expected)
    })
  })

  test('a row of weight 1 is copied bit for bit, seed 9', async () => {
    const device = await testDevice()
    const x = normals(9, 2 * 300)
    const y = createGuarded(device, [1, 300], 'y')
    const dispatch = await mixRows(
      device,
      {
        x: uploadTensor(device, [2, 300], x, 'x'),
        sources: uploadTensor(device, [1, 2], Uint32Array.of(1, 0), 'sources'),
        weights: uploadTensor(device, [1, 2], Float32Array.of(1, 0), 'weights'),
        slots: uploadTensor(device, [1], Uint32Array.of(0), 'slots'),
        y,
      },
      { accumulate: false },
    )
    submit(device, [dispatch], 1)
    expect(await readGuarded(device, y)).toEqual(x.subarray(300))
  })

  test('refuses shapes that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    await expect(
      mixRows(
        device,
        { x: create(2, 4), sources: create(1, 2), weights: create(1, 2), slots: create(1), y: create(2, 5) },
        { accumulate: false },
      ),
    ).rejects.toMatchObject({ code: 'shape-mismatch' })
  })
})
