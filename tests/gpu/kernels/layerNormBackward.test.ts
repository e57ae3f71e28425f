import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { layerNormBackward } from '../../../src/kernels/layerNormBackward.ts'
import { layerNormBackwardWeight } from '../../../src/kernels/layerNormBackwardWeight.ts'
import { layerNormBackwardReference } from '../../reference/layerNormBackward.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** Odd; prime; a workgroup ± 1; several; the starter's encoder. `blocks` of `rows` each are in use, one more is not. */
const cases = [
  { blocks: 1, rows: 1, columns: 3, seed: 2110 },
  { blocks: 2, rows: 3, columns: 7, seed: 2111 },
  { blocks: 1, rows: 17, columns: 63, seed: 2112 },
  { blocks: 3, rows: 5, columns: 64, seed: 2113 },
  { blocks: 2, rows: 8, columns: 65, seed: 2114 },
  { blocks: 3, rows: 42, columns: 256, seed: 2115 },
]

describe.each(cases)('$blocks blocks of [$rows, $columns], seed $seed', ({ blocks, rows, columns, seed }) => {
  const epsilon = 1e-5
  const used = blocks * rows
  const all = used + rows
  // An offset of the mean makes a careless variance lose digits.
  const x = normals(seed, all * columns).map((value) => value + 3)
  const gain = normals(seed + 1, columns)
  const dy = normals(seed + 2, all * columns)
  const before = normals(seed + 3, all * columns)
  const weightsBefore = [normals(seed + 4, columns), normals(seed + 5, columns)] as const
  const first = used * columns
  const expected = layerNormBackwardReference(dy.subarray(0, first), x.subarray(0, first), gain, epsilon)

  test.each([true, false])('with the input accumulating: %s', async (accumulate) => {
    const dx = createGuarded(device, [all, columns], 'dx')
    const dgain = createGuarded(device, [columns], 'dgain')
    const dbias = createGuarded(device, [columns], 'dbias')
    device.queue.writeBuffer(dx.buffer, 0, before)
    device.queue.writeBuffer(dgain.buffer, 0, weightsBefore[0])
    device.queue.writeBuffer(dbias.buffer, 0, weightsBefore[1])
    const shared = {
      dy: uploadTensor(device, [all, columns], dy, 'dy'),
      x: uploadTensor(device, [all, columns], x, 'x'),
      stats: createTensor(device, [all, 2], 'stats'),
    }
    const count = uploadTensor(device, [1], Uint32Array.of(blocks), 'count')
    const gains = uploadTensor(device, [columns], gain, 'gain')
    const ofInput = await layerNormBackward(device, { ...shared, gain: gains, dx }, { epsilon, accumulate })
    const ofWeight = await layerNormBackwardWeight(
      device,
      { ...shared, count, dgain, dbias },
      { blockRows: rows },
    )
    submit(device, [ofInput, ofWeight], used)
    const dxNow = await readGuarded(device, dx)
    expect(
      nmse(dxNow.subarray(0, first), accumulate ? plus(expected.dx, before) : expected.dx),
    ).toBeLessThanOrEqual(1e-10)
    expect(dxNow.subarray(first)).toEqual(before.subarray(first))
    expect(
      nmse(await readGuarded(device, dgain), plus(expected.dgain, weightsBefore[0])),
    ).toBeLessThanOrEqual(1e-10)
    expect(
      nmse(await readGuarded(device, dbias), plus(expected.dbias, weightsBefore[1])),
    ).toBeLessThanOrEqual(1e-10)
  })
})

function plus(gradient: Float64Array, start: ArrayLike<number>): Float64Array {
  return gradient.map((value, i) => value + start[i]!)
}

test('refuses shapes that do not fit', async () => {
  const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
  const options = { epsilon: 0, accumulate: false }
  const tensors = {
    dy: create(2, 4),
    x: create(2, 4),
    gain: create(4),
    dx: create(2, 4),
    stats: create(2, 2),
  }
  const mismatch = { code: 'shape-mismatch' }
  await expect(layerNormBackward(device, { ...tensors, dx: create(2, 3) }, options)).rejects.toMatchObject(
    mismatch,
  )
  await expect(layerNormBackward(device, { ...tensors, stats: create(2) }, options)).rejects.toMatchObject(
    mismatch,
  )
  const weights = { ...tensors, count: create(1), dgain: create(4), dbias: create(3) }
  await expect(layerNormBackwardWeight(device, weights, { blockRows: 1 })).rejects.toMatchObject(mismatch)
})
