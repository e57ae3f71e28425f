import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { layerNorm } from '../../../src/kernels/layerNorm.ts'
import { layerNormCases } from '../../cases/layerNorm.ts'
import { layerNormReference } from '../../reference/layerNorm.ts'
import { expectClose } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

describe('layer_norm', () => {
  test.each(layerNormCases)('[$rows, $columns], seed $seed', async ({ rows, columns, seed }) => {
    const device = await testDevice()
    // An offset of the mean makes a careless variance lose digits.
    const x = normals(seed, rows * columns).map((value) => value + 3)
    const gain = normals(seed + 100, columns)
    const bias = normals(seed + 200, columns)
    const y = createGuarded(device, [rows, columns], 'y')
    const dispatch = await layerNorm(
      device,
      {
        x: uploadTensor(device, [rows, columns], x, 'x'),
        gain: uploadTensor(device, [columns], gain, 'gain'),
        bias: uploadTensor(device, [columns], bias, 'bias'),
        y,
      },
      { epsilon: 1e-5 },
    )
    submit(device, [dispatch], rows)
    expectClose(await readGuarded(device, y), layerNormReference(x, gain, bias, 1e-5))
  })

  test('refuses shapes that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    await expect(
      layerNorm(
        device,
        { x: create(2, 4), gain: create(4), bias: create(3), y: create(2, 4) },
        { epsilon: 0 },
      ),
    ).rejects.toMatchObject({ code: 'shape-mismatch' })
  })
})
