import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { adamW, packAdamW } from '../../../src/kernels/adamW.ts'
import { gradientNorm } from '../../../src/kernels/gradientNorm.ts'
import { sumOfSquares } from '../../../src/kernels/sumOfSquares.ts'
import { adamWReference, clipFactorReference, normReference } from '../../reference/adamW.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const SETTINGS = { betas: [0.9, 0.999], epsilon: 1e-8, weightDecay: 0.01, clip: 1, step: 1 } as const

async function reportOf(
  x: Float32Array<ArrayBuffer>,
  { first, length, parts, clip }: Readonly<Record<'first' | 'length' | 'parts' | 'clip', number>>,
): Promise<Float32Array> {
  const partials = createGuarded(device, [parts, 2], 'partials')
  const report = createGuarded(device, [4], 'report')
  const values = packAdamW({ ...SETTINGS, clip, learningRates: [0] })
  const settings = uploadTensor(device, [values.length], values, 'settings')
  const dispatches = [
    await sumOfSquares(device, { x: uploadTensor(device, [x.length], x, 'x'), partials }, { first, length }),
    await gradientNorm(device, { partials, settings, report }),
  ]
  submit(device, dispatches, 0)
  await readGuarded(device, partials)
  return readGuarded(device, report)
}

describe('the norm of a gradient', () => {
  test.each([
    { first: 0, length: 1, parts: 1, clip: 0, seed: 2400 },
    { first: 3, length: 255, parts: 2, clip: 0.5, seed: 2401 },
    { first: 64, length: 257, parts: 3, clip: 1000, seed: 2402 },
    { first: 1, length: 10_007, parts: 70, clip: 2, seed: 2403 },
  ])('of $length values in $parts parts, clipped at $clip, seed $seed', async ({ seed, ...range }) => {
    const x = normals(seed, range.first + range.length + 5, 0.7)
    const [norm, factor, unusable] = await reportOf(x, range)
    const expected = normReference(x.subarray(range.first, range.first + range.length))
    expect(nmse([norm!, factor!], [expected, clipFactorReference(expected, range.clip)])).toBeLessThanOrEqual(
      1e-10,
    )
    expect(unusable).toBe(0)
  })

  test.each([Infinity, -Infinity, NaN, 1e16, -3e38])('counts %s and leaves it out', async (bad) => {
    const x = normals(2410, 1000)
    const clean = normReference(x.map((value, i) => (i % 400 === 7 ? 0 : value)))
    for (let i = 7; i < 1000; i += 400) x[i] = bad
    const [norm, , unusable] = await reportOf(x, { first: 0, length: 1000, parts: 3, clip: 1 })
    expect(unusable).toBe(3)
    expect(nmse([norm!], [clean])).toBeLessThanOrEqual(1e-10)
  })
})

describe('AdamW', () => {
  const [first, length, rest] = [5, 200, 70]
  const size = first + length + rest

  async function prepare(gradient: Float32Array<ArrayBuffer>) {
    const value = normals(2420, size)
    const flat = (values: Float32Array<ArrayBuffer>) => {
      const tensor = createGuarded(device, [size], 'flat')
      device.queue.writeBuffer(tensor.buffer, 0, values)
      return tensor
    }
    const tensors = {
      settings: createTensor(device, [11], 'settings'),
      report: createTensor(device, [4], 'report'),
      gradient: flat(gradient),
      value: flat(value),
      first_moment: flat(new Float32Array(size)),
      second_moment: flat(new Float32Array(size)),
    }
    const partials = createTensor(device, [2, 2], 'partials')
    const { report, settings } = tensors
    const dispatches = [
      await sumOfSquares(device, { x: tensors.gradient, partials }, { first, length: length + rest }),
      await gradientNorm(device, { partials, settings, report }),
      await adamW(device, tensors, { first, length, group: 1 }),
      await adamW(device, tensors, { first: first + length, length: rest, group: 0 }),
    ]
    return { tensors, dispatches, value }
  }

  test('ten steps of two groups, clipped now and then, the rest untouched, seed 2420', async () => {
    const { tensors, dispatches, value } = await prepare(new Float32Array(size))
    const state = {
      value: Float64Array.from(value.subarray(first)),
      m: new Float64Array(length + rest),
      v: new Float64Array(length + rest),
    }
    const rates = [3e-3, 1e-2]
    for (let step = 1; step <= 10; step++) {
      const gradient = normals(2430 + step, size, step % 3 === 0 ? 1e-3 : 0.3)
      const settings = { ...SETTINGS, step }
      device.queue.writeBuffer(tensors.gradient.buffer, 0, gradient)
      device.queue.writeBuffer(tensors.settings.buffer, 0, packAdamW({ ...settings, learningRates: rates }))
      submit(device, dispatches, 0)
      const rate = (i: number): number => rates[i < length ? 1 : 0]!
      adamWReference(state, gradient.subarray(first), { ...settings, rate })
    }
    const now = await readGuarded(device, tensors.value)
    const moved = state.value.map((after, i) => after - value[first + i]!)
    const actual = now.slice(first).map((after, i) => after - value[first + i]!)
    // The difference of two float32 values keeps the rounding of their sum.
    expect(nmse(actual, moved)).toBeLessThanOrEqual(1e-9)
    expect(nmse(now.subarray(first), state.value)).toBeLessThanOrEqual(1e-12)
    expect(nmse((await readGuarded(device, tensors.first_moment)).subarray(first), state.m)).toBeLessThan(
      1e-10,
    )
    expect(nmse((await readGuarded(device, tensors.second_moment)).subarray(first), state.v)).toBeLessThan(
      1e-10,
    )
    expectSameBits(now.slice(0, first), value.slice(0, first))
  })

  test('an infinite gradient anywhere changes nothing', async () => {
    const gradient = normals(2450, size)
    gradient[size - 1] = Infinity
    const { tensors, dispatches, value } = await prepare(gradient)
    device.queue.writeBuffer(tensors.settings.buffer, 0, packAdamW({ ...SETTINGS, learningRates: [1, 1] }))
    submit(device, dispatches, 0)
    expectSameBits(await readGuarded(device, tensors.value), value)
    expectSameBits(await readGuarded(device, tensors.first_moment), new Float32Array(size))
    expect((await readTensor(device, tensors.report))[2]).toBe(1)
  })

  test('refuses ranges and groups that do not exist', async () => {
    const { tensors } = await prepare(new Float32Array(size))
    const mismatch = { code: 'shape-mismatch' }
    await expect(adamW(device, tensors, { first: 1, length: size, group: 0 })).rejects.toMatchObject(mismatch)
    await expect(adamW(device, tensors, { first: 0, length: 1, group: 2 })).rejects.toMatchObject(mismatch)
    const partials = createTensor(device, [2, 2], 'partials')
    await expect(
      sumOfSquares(device, { x: tensors.value, partials }, { first: size, length: 1 }),
    ).rejects.toMatchObject(mismatch)
  })
})
