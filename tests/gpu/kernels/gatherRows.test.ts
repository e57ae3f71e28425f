import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { gatherRows } from '../../../src/kernels/gatherRows.ts'
import { scatterAddRows } from '../../../src/kernels/scatterAddRows.ts'
import { gatherRowsReference, scatterAddRowsReference } from '../../reference/gatherRows.ts'
import { expectSameBits } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { columnsOf, uploadRows, writeRows } from '../../support/rows.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** 1; odd; a workgroup ± 1; SmolLM2's width. */
const cases = [
  { rows: 1, columns: 1, index: [0], seed: 1210 },
  { rows: 4, columns: 7, index: [3, 0, 2], seed: 1211 },
  { rows: 5, columns: 63, index: [1, 2, 3, 4, 0], seed: 1212 },
  { rows: 3, columns: 64, index: [2], seed: 1213 },
  { rows: 9, columns: 65, index: [8, 1], seed: 1214 },
  { rows: 40, columns: 576, index: Array.from({ length: 35 }, (_, i) => (i * 7) % 40), seed: 1215 },
]

const isUntouched = (values: Float32Array): boolean =>
  new Uint32Array(values.buffer).every((word) => word === 0xdeadbeef)

describe.each(cases)('rows $index of [$rows, $columns], seed $seed', ({ rows, columns, index, seed }) => {
  const list = (): ReturnType<typeof uploadTensor> =>
    uploadTensor(device, [index.length], Uint32Array.from(index), 'index')

  test('are gathered', async () => {
    const x = normals(seed, rows * columns)
    const y = createGuarded(device, [index.length, columns + 3], 'y')
    const tensors = { x: uploadRows(device, x, columns, columns + 1, 'x'), index: list(), y }
    submit(device, [await gatherRows(device, tensors, { columns })], index.length)
    const all = await readGuarded(device, y)
    const expected = Float32Array.from(gatherRowsReference(x, index, columns))
    expectSameBits(columnsOf(all, columns + 3, 0, columns), expected)
    expect(isUntouched(columnsOf(all, columns + 3, columns, 3))).toBe(true)
  })

  test('are added to, the others kept', async () => {
    const before = normals(seed + 1, rows * columns)
    const x = normals(seed + 2, index.length * columns)
    const y = createGuarded(device, [rows, columns + 3], 'y')
    writeRows(device, y, before, columns)
    const tensors = { x: uploadRows(device, x, columns, columns + 2, 'x'), index: list(), y }
    submit(device, [await scatterAddRows(device, tensors, { columns })], index.length)
    const all = await readGuarded(device, y)
    const expected = Float32Array.from(scatterAddRowsReference(before, x, index, columns))
    expectSameBits(columnsOf(all, columns + 3, 0, columns), expected)
    expect(isUntouched(columnsOf(all, columns + 3, columns, 3))).toBe(true)
  })
})
