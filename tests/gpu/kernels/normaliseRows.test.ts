import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { normaliseRows } from '../../../src/kernels/normaliseRows.ts'
import { normaliseRowsBackward } from '../../../src/kernels/normaliseRowsBackward.ts'
import { normaliseRowsBackwardReference, normaliseRowsReference } from '../../reference/normaliseRows.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** Odd; prime; a workgroup ± 1; several. One row more than is asked for. */
describe.each([
  { rows: 1, columns: 2, seed: 2320 },
  { rows: 3, columns: 7, seed: 2321 },
  { rows: 2, columns: 63, seed: 2322 },
  { rows: 5, columns: 64, seed: 2323 },
  { rows: 4, columns: 65, seed: 2324 },
  { rows: 3, columns: 200, seed: 2325 },
])('[$rows, $columns], seed $seed', ({ rows, columns, seed }) => {
  const all = (rows + 1) * columns
  const x = normals(seed, all, 3)
  const dy = normals(seed + 1, all)
  const before = normals(seed + 2, all)
  const used = rows * columns

  test('forward', async () => {
    const y = createGuarded(device, [rows + 1, columns], 'y')
    device.queue.writeBuffer(y.buffer, 0, before)
    const dispatch = await normaliseRows(device, {
      x: uploadTensor(device, [rows + 1, columns], x, 'x'),
      y,
    })
    submit(device, [dispatch], rows)
    const values = await readGuarded(device, y)
    const expected = normaliseRowsReference(x.subarray(0, used), columns)
    expect(nmse(values.subarray(0, used), expected)).toBeLessThanOrEqual(1e-10)
    expect(values.subarray(used)).toEqual(before.subarray(used))
  })

  test('backward', async () => {
    const dx = createGuarded(device, [rows + 1, columns], 'dx')
    device.queue.writeBuffer(dx.buffer, 0, before)
    const dispatch = await normaliseRowsBackward(device, {
      dy: uploadTensor(device, [rows + 1, columns], dy, 'dy'),
      x: uploadTensor(device, [rows + 1, columns], x, 'x'),
      dx,
    })
    submit(device, [dispatch], rows)
    const values = await readGuarded(device, dx)
    const expected = normaliseRowsBackwardReference(dy, x, columns).subarray(0, used)
    expect(nmse(values.subarray(0, used), expected)).toBeLessThanOrEqual(1e-10)
    expect(values.subarray(used)).toEqual(before.subarray(used))
  })
})

test('refuses shapes that do not fit', async () => {
  const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
  const mismatch = { code: 'shape-mismatch' }
  await expect(normaliseRows(device, { x: create(2, 3), y: create(3, 2) })).rejects.toMatchObject(mismatch)
  await expect(
    normaliseRowsBackward(device, { dy: create(2, 3), x: create(2, 3), dx: create(6) }),
  ).rejects.toMatchObject(mismatch)
})
