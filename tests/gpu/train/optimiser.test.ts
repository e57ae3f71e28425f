import { expect, test } from 'vitest'

import { readTensor } from '../../../src/gpu/tensor.ts'
import { createOptimiser } from '../../../src/train/parameters/optimiser.ts'
import { createParameters } from '../../../src/train/parameters/parameters.ts'
import type { Parameters as TrainedParameters } from '../../../src/train/parameters/parameters.ts'
import { adamWReference, normReference } from '../../reference/adamW.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { layoutOf } from '../../support/parameters.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const SETTINGS = {
  learningRates: [1e-2, 3e-2],
  betas: [0.9, 0.999],
  epsilon: 1e-8,
  weightDecay: 0.01,
  clip: 1,
} as const

function trained(onlyRole?: number): TrainedParameters {
  const config = tinyConfig({ B: 'table' })
  const parameters = createParameters(device, {
    config,
    layout: layoutOf(config),
    roles: 3,
    hasHeads: true,
    hasContrast: true,
    ...(onlyRole !== undefined && { onlyRole }),
  })
  const params = parametersOf(tinyPack({ B: 'table' }))
  parameters.load((name) => params.get(name)!)
  return parameters
}

/** Gradients on what the pack holds, zero on the padding between. */
function gradientsOf({ layout }: TrainedParameters, seed: number, scale: number): Float32Array<ArrayBuffer> {
  const gradients = new Float32Array(layout.trainedLength)
  for (const [index, { runs, length, first }] of layout.pieces.entries()) {
    const values = normals(seed + index, runs * length, scale)
    for (let run = 0; run < runs; run++) {
      gradients.set(values.subarray(run * length, (run + 1) * length), first(run))
    }
  }
  return gradients
}

test('ten steps are AdamW on both groups, each at its own rate, seed 3000', async () => {
  const parameters = trained()
  const optimiser = await createOptimiser(device, parameters)
  const { layout } = parameters
  const start = await readTensor(device, parameters.values)
  const state = {
    value: Float64Array.from(start),
    m: new Float64Array(start.length),
    v: new Float64Array(start.length),
  }
  const firstOfB = layout.segments.get('B')!.first
  for (let step = 1; step <= 10; step++) {
    const gradients = gradientsOf(parameters, 3000 + 100 * step, step % 2 === 0 ? 1e-4 : 0.1)
    device.queue.writeBuffer(parameters.gradients.buffer, 0, gradients)
    const commands = device.createCommandEncoder()
    optimiser.encodeUpdate(commands, { ...SETTINGS, step })
    device.queue.submit([commands.finish()])
    const { norm, isFinite } = await optimiser.readReport()
    expect(Math.abs(norm / normReference(gradients) - 1)).toBeLessThan(1e-6)
    expect(isFinite).toBe(true)
    const rate = (i: number): number => SETTINGS.learningRates[i < firstOfB ? 0 : 1]
    adamWReference(state, gradients, { ...SETTINGS, step, rate })
  }
  const now = await readTensor(device, parameters.values)
  const moved = (after: ArrayLike<number>): number[] => Array.from(after, (value, i) => value - start[i]!)
  expect(nmse(moved(now), moved(state.value))).toBeLessThanOrEqual(1e-9)
  optimiser.destroy()
})

test('a step with an infinite gradient changes nothing and says so', async () => {
  const parameters = trained()
  const optimiser = await createOptimiser(device, parameters)
  const before = await parameters.readState()
  const gradients = gradientsOf(parameters, 3500, 1)
  gradients[7] = Infinity
  device.queue.writeBuffer(parameters.gradients.buffer, 0, gradients)
  const commands = device.createCommandEncoder()
  optimiser.encodeUpdate(commands, { ...SETTINGS, step: 1 })
  device.queue.submit([commands.finish()])
  expect((await optimiser.readReport()).isFinite).toBe(false)
  expect(await parameters.readState()).toEqual(before)
})

test('where only a role’s vector is fitted, its row moves and nothing else does', async () => {
  const parameters = trained(1)
  const optimiser = await createOptimiser(device, parameters)
  const before = await readTensor(device, parameters.values)
  const gradients = normals(3600, parameters.layout.trainedLength)
  device.queue.writeBuffer(parameters.gradients.buffer, 0, gradients)
  const commands = device.createCommandEncoder()
  optimiser.encodeUpdate(commands, { ...SETTINGS, step: 1 })
  device.queue.submit([commands.finish()])
  const after = await readTensor(device, parameters.values)
  const { first, length } = parameters.layout.updates[0]!
  const report = await optimiser.readReport()
  expect(Math.abs(report.norm / normReference(gradients.subarray(first, first + length)) - 1)).toBeLessThan(
    1e-6,
  )
  const isMoved = after.map((value, i) => Number(value !== before[i]))
  expect([first, length]).toEqual([5, 5])
  expect([...isMoved.subarray(0, 15)]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
  expectSameBits(after.slice(10), before.slice(10))
})

test('refuses learning rates that are not one a group', async () => {
  const optimiser = await createOptimiser(device, trained())
  const commands = device.createCommandEncoder()
  expect(() => optimiser.encodeUpdate(commands, { ...SETTINGS, learningRates: [1], step: 1 })).toThrow(
    'expected one each for hyper and B',
  )
})
