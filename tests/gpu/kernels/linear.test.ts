import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { linear, NOWHERE } from '../../../src/kernels/linear.ts'
import { linearCases, longLinearCase } from '../../cases/linear.ts'
import { linearReference } from '../../reference/linear.ts'
import { expectClose } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

describe('linear', () => {
  test.each([...linearCases, longLinearCase])(
    '[$rows, $inner] · [$columns, $inner]ᵀ, seed $seed',
    async ({ rows, inner, columns, seed }) => {
      const device = await testDevice()
      const x = normals(seed, rows * inner)
      const weight = normals(seed + 100, columns * inner)
      const tolerance = inner > 1024 ? 1e-9 : 1e-10
      for (const plan of ['tile', 'direct'] as const) {
        const y = createGuarded(device, [rows, columns], 'y')
        const dispatch = await linear(await testGpu({ manyRows: plan }), {
          x: uploadTensor(device, [rows, inner], x, 'x'),
          weight: uploadTensor(device, [columns, inner], weight, 'weight'),
          y,
        })
        submit(device, [dispatch], rows)
        expectClose(
          await readGuarded(device, y),
          linearReference(x, weight, { rows, inner, columns }),
          tolerance,
        )
      }
    },
  )

  test.each([
    { bias: true, residual: false, relu: false, scale: 0.25 },
    { bias: true, residual: false, relu: true, scale: 1 },
    { bias: true, residual: true, relu: false, scale: 1 },
    { bias: false, residual: true, relu: true, scale: -2 },
  ])('epilogue %o, seed 30', async ({ bias, residual, relu, scale }) => {
    const device = await testDevice()
    const [rows, inner, columns] = [66, 19, 70]
    const x = normals(30, rows * inner)
    const weight = normals(31, columns * inner)
    const biasValues = normals(32, columns)
    const residualValues = normals(33, rows * columns)
    const y = createGuarded(device, [rows, columns], 'y')
    const dispatch = await linear(
      await testGpu(),
      {
        x: uploadTensor(device, [rows, inner], x, 'x'),
        weight: uploadTensor(device, [columns, inner], weight, 'weight'),
        ...(bias && { bias: uploadTensor(device, [columns], biasValues, 'bias') }),
        ...(residual && { residual: uploadTensor(device, [rows, columns], residualValues, 'residual') }),
        y,
      },
      { relu, scale },
    )
    submit(device, [dispatch], rows)
    const epilogue = {
      ...(bias && { bias: biasValues }),
      ...(residual && { residual: residualValues }),
      relu,
      scale,
    }
    expectClose(await readGuarded(device, y), linearReference(x, weight, { rows, inner, columns }, epilogue))
  })

  test('blocks go to their slots and nowhere else, seed 40', async () => {
    const device = await testDevice()
    const [blocks, rows, inner, columns] = [3, 5, 6, 70]
    const [xFirstRow, xBlockRows, yOffset] = [2, 9, 11]
    const yBlockStride = rows * columns + 13
    const x = normals(40, blocks * xBlockRows * inner)
    const weight = normals(41, columns * inner)
    const y = createGuarded(device, [4 * yBlockStride], 'y')
    device.queue.writeBuffer(y.buffer, 0, new Float32Array(4 * yBlockStride).fill(7))
    const dispatch = await linear(
      await testGpu(),
      {
        x: uploadTensor(device, [blocks * xBlockRows, inner], x, 'x'),
        weight: uploadTensor(device, [columns, inner], weight, 'weight'),
        slots: uploadTensor(device, [blocks], Uint32Array.of(2, NOWHERE, 0), 'slots'),
        y,
      },
      { blocks: { count: blocks, rows, xFirstRow, xBlockRows, yOffset, yBlockStride } },
    )
    submit(device, [dispatch], blocks * rows)
    const expected = new Float64Array(4 * yBlockStride).fill(7)
    for (const [block, slot] of [
      [0, 2],
      [2, 0],
    ] as const) {
      const first = (xFirstRow + block * xBlockRows) * inner
      const part = x.subarray(first, first + rows * inner)
      expected.set(linearReference(part, weight, { rows, inner, columns }), yOffset + slot * yBlockStride)
    }
    const actual = await readGuarded(device, y)
    expectClose(actual, expected)
    expect(actual.filter((value) => value === 7)).toHaveLength(4 * yBlockStride - 2 * rows * columns)
  })

  test('refuses shapes that do not fit', async () => {
    const gpu = await testGpu()
    const create = (...shape: readonly number[]) => createTensor(gpu.device, shape, 'tensor')
    const x = create(6, 4)
    const weight = create(3, 4)
    const mismatch = { code: 'shape-mismatch' }
    await expect(linear(gpu, { x, weight: create(3, 5), y: create(6, 3) })).rejects.toMatchObject(mismatch)
    await expect(linear(gpu, { x, weight, y: create(6, 4) })).rejects.toMatchObject(mismatch)
    await expect(linear(gpu, { x, weight, bias: create(4), y: create(6, 3) })).rejects.toMatchObject(mismatch)
    const blocks = { count: 2, rows: 3, xFirstRow: 1, xBlockRows: 3, yOffset: 0, yBlockStride: 9 }
    await expect(linear(gpu, { x, weight, y: create(18) }, { blocks })).rejects.toMatchObject(mismatch)
  })
})
