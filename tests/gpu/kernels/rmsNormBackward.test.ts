import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { rmsNormBackward } from '../../../src/kernels/rmsNormBackward.ts'
import { rmsNormBackwardReference } from '../../reference/rmsNormBackward.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf, uploadRows, writeRows } from '../../support/rows.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** 1; odd; a workgroup ± 1; several; the starter's and SmolLM2's width. */
const cases = [
  // One column is its own mean: only a large epsilon leaves more of the gradient than its rounding.
  { rows: 1, columns: 1, epsilon: 10, seed: 1010 },
  { rows: 3, columns: 7, seed: 1011 },
  { rows: 2, columns: 63, seed: 1012 },
  { rows: 5, columns: 64, seed: 1013 },
  { rows: 2, columns: 65, seed: 1014 },
  { rows: 7, columns: 256, seed: 1015 },
  { rows: 33, columns: 576, seed: 1016 },
]

describe.each(cases)('[$rows, $columns], seed $seed', ({ rows, columns, epsilon = 1e-5, seed }) => {
  const x = normals(seed, rows * columns, 3)
  const gain = normals(seed + 1, columns)
  const dy = normals(seed + 2, rows * columns)
  const before = normals(seed + 3, rows * columns)

  const run = async (accumulate: boolean, isNormed = true): Promise<Float32Array> => {
    const stride = columns + 3
    const dx = createGuarded(device, [rows, stride], 'dx')
    writeRows(device, dx, before, columns)
    const tensors = {
      dy: uploadRows(device, dy, columns, columns + 2, 'dy'),
      // Without a norm all of a row is meant.
      x: uploadRows(device, x, columns, isNormed ? columns + 1 : columns, 'x'),
      gain: isNormed ? uploadTensor(device, [columns], gain, 'gain') : null,
      dx,
    }
    submit(device, [await rmsNormBackward(device, tensors, { epsilon, accumulate })], rows)
    const all = await readGuarded(device, dx)
    const spare = columnsOf(all, stride, columns, 3)
    expectUntouched(spare)
    return columnsOf(all, stride, 0, columns)
  }

  test('writes the gradient, or adds it', async () => {
    const expected = rmsNormBackwardReference(dy, x, gain, epsilon)
    const written = await run(false)
    const added = await run(true)
    const sums = expected.map((value, index) => value + before[index]!)
    expect(nmse(written, expected)).toBeLessThanOrEqual(1e-10)
    expect(nmse(added, sums)).toBeLessThanOrEqual(1e-10)
  })

  test('without a norm gives the gradient on, or adds it', async () => {
    expect(await run(false, false)).toEqual(dy)
    expect(await run(true, false)).toEqual(dy.map((value, index) => value + before[index]!))
  })
})
