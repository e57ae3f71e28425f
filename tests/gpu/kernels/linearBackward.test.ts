import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import type { Tensor } from '../../../src/gpu/tensor.ts'
import { linearBackwardInput } from '../../../src/kernels/linearBackwardInput.ts'
import { linearBackwardWeight } from '../../../src/kernels/linearBackwardWeight.ts'
import { linearBackwardCases } from '../../cases/linearBackward.ts'
import {
  linearBackwardInputReference,
  linearBackwardWeightReference,
} from '../../reference/linearBackward.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const upload = (shape: readonly number[], values: Float32Array<ArrayBuffer>): Tensor =>
  uploadTensor(device, shape, values, 'input')
const countOf = (count: number): Tensor => uploadTensor(device, [1], Uint32Array.of(count), 'count')

/** A guarded tensor that already holds values. */
function holding(shape: readonly number[], values: Float32Array<ArrayBuffer>): Tensor {
  const tensor = createGuarded(device, shape, 'output')
  device.queue.writeBuffer(tensor.buffer, 0, values)
  return tensor
}

const PLANS = ['tile', 'direct'] as const

const sumOf = (a: ArrayLike<number>, b: ArrayLike<number>): Float64Array =>
  Float64Array.from(a, (value, i) => value + b[i]!)

describe.each(linearBackwardCases)(
  'dy [$rows, $columns], weight [$columns, $inner], seed $seed',
  ({ rows, inner, columns, seed }) => {
    const sizes = { rows, inner, columns }
    const dy = normals(seed, rows * columns)
    const gate = normals(seed + 100, rows * columns)
    const weight = normals(seed + 200, columns * inner)
    const x = normals(seed + 300, rows * inner)
    const tolerance = columns > 1024 ? 1e-9 : 1e-10

    test.each(PLANS)('%s: the gradient of the input', async (plan) => {
      const dx = createGuarded(device, [rows, inner], 'dx')
      const dispatch = await linearBackwardInput(await testGpu({ manyRows: plan }), {
        dy: upload([rows, columns], dy),
        weight: upload([columns, inner], weight),
        count: countOf(rows),
        dx,
      })
      submit(device, [dispatch], rows)
      expect(
        nmse(await readGuarded(device, dx), linearBackwardInputReference(dy, weight, sizes)),
      ).toBeLessThanOrEqual(tolerance)
    })

    test.each(PLANS)('%s: the gradients of weight and bias, behind a ReLU', async (plan) => {
      const [weightBefore, biasBefore] = [normals(seed + 400, columns * inner), normals(seed + 500, columns)]
      const dweight = holding([columns, inner], weightBefore)
      const dbias = holding([columns], biasBefore)
      const dispatch = await linearBackwardWeight(
        await testGpu({ manyRows: plan }),
        {
          dy: upload([rows, columns], dy),
          gate: upload([rows, columns], gate),
          x: upload([rows, inner], x),
          count: countOf(rows),
          dweight,
          dbias,
        },
        { scale: 0.25 },
      )
      submit(device, [dispatch], rows)
      const expected = linearBackwardWeightReference(dy, x, sizes, { gate, scale: 0.25 })
      expect(
        nmse(await readGuarded(device, dweight), sumOf(weightBefore, expected.dweight)),
      ).toBeLessThanOrEqual(1e-10)
      expect(nmse(await readGuarded(device, dbias), sumOf(biasBefore, expected.dbias))).toBeLessThanOrEqual(
        1e-10,
      )
    })
  },
)

describe('two of three blocks, seed 2030', () => {
  const [used, blocks, rows, inner, columns] = [2, 3, 5, 18, 35]
  const [xFirstRow, xBlockRows, yOffset] = [2, 9, 11]
  const yBlockStride = rows * columns + 13
  const place = { count: blocks, rows, xFirstRow, xBlockRows, yOffset, yBlockStride }
  const sizes = { rows, inner, columns }
  const dy = normals(2030, blocks * yBlockStride)
  const x = normals(2031, blocks * xBlockRows * inner)
  const weight = normals(2032, columns * inner)
  const partOfDy = (block: number): Float32Array => {
    const first = yOffset + block * yBlockStride
    return dy.subarray(first, first + rows * columns)
  }
  const xStart = (block: number): number => (xFirstRow + block * xBlockRows) * inner

  test.each(PLANS)('%s: only their rows of dx change, by their own gradients', async (plan) => {
    const before = normals(2033, x.length)
    const dx = holding([blocks * xBlockRows, inner], before)
    const dispatch = await linearBackwardInput(
      await testGpu({ manyRows: plan }),
      {
        dy: upload([dy.length], dy),
        weight: upload([columns, inner], weight),
        count: countOf(used),
        dx,
      },
      { accumulate: true, scale: -2, blocks: place },
    )
    submit(device, [dispatch], used * rows)
    const expected = Float64Array.from(before)
    for (let block = 0; block < used; block++) {
      linearBackwardInputReference(partOfDy(block), weight, sizes, { scale: -2 }).forEach((value, i) => {
        expected[xStart(block) + i]! += value
      })
    }
    expect(nmse(await readGuarded(device, dx), expected)).toBeLessThanOrEqual(1e-10)
  })

  test.each(PLANS)('%s: the others add nothing to weight and bias', async (plan) => {
    const dweight = holding([columns, inner], new Float32Array(columns * inner))
    const dbias = holding([columns], new Float32Array(columns))
    const tensors = {
      dy: upload([dy.length], dy),
      x: upload([blocks * xBlockRows, inner], x),
      count: countOf(used),
      dweight,
      dbias,
    }
    submit(
      device,
      [await linearBackwardWeight(await testGpu({ manyRows: plan }), tensors, { blocks: place })],
      0,
    )
    const parts = [0, 1].map((block) =>
      linearBackwardWeightReference(
        partOfDy(block),
        x.subarray(xStart(block), xStart(block) + rows * inner),
        sizes,
      ),
    )
    expect(
      nmse(await readGuarded(device, dweight), sumOf(parts[0]!.dweight, parts[1]!.dweight)),
    ).toBeLessThanOrEqual(1e-10)
    expect(
      nmse(await readGuarded(device, dbias), sumOf(parts[0]!.dbias, parts[1]!.dbias)),
    ).toBeLessThanOrEqual(1e-10)
  })
})

test('refuses shapes that do not fit', async () => {
  const gpu = await testGpu()
  const create = (...shape: readonly number[]): Tensor => createTensor(gpu.device, shape, 'tensor')
  const mismatch = { code: 'shape-mismatch' }
  const [dy, count] = [create(6, 3), create(1)]
  await expect(
    linearBackwardInput(gpu, { dy, count, weight: create(3, 4), dx: create(6, 5) }),
  ).rejects.toMatchObject(mismatch)
  await expect(
    linearBackwardInput(gpu, { dy, count, weight: create(3, 4), dx: create(7, 4) }),
  ).rejects.toMatchObject(mismatch)
  await expect(
    linearBackwardWeight(gpu, { dy, count, x: create(6, 4), dweight: create(3, 4), dbias: create(4) }),
  ).rejects.toMatchObject(mismatch)
  const blocks = { count: 2, rows: 3, xFirstRow: 1, xBlockRows: 3, yOffset: 0, yBlockStride: 9 }
  await expect(
    linearBackwardWeight(
      gpu,
      { dy, count, x: create(6, 4), dweight: create(3, 4), dbias: create(3) },
      { blocks },
    ),
  ).rejects.toMatchObject(mismatch)
})
