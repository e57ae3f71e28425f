import { afterAll, beforeAll, expect, test } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import { STEPS_AHEAD, findLateNews } from '../../../src/gpu/lateNews.ts'
import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { ownGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { tinyRun } from '../../support/tinyRun.ts'

/* A device that tells of what is done only when it is looked at, as Firefox does between two ticks of a timer. */

let gpu: TunedDevice
/** How many of those who wait were told at each look that had something to tell. */
let looks: number[] = []

/** Lets news wait, all of them until everything that was asked before is done, for an empty submit. */
function delayNews(device: GPUDevice): void {
  let waiting: { done: Promise<unknown>; tell: () => void }[] = []
  const delayed = <T>(done: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => waiting.push({ done, tell: () => void done.then(resolve, reject) }))
  const submit = device.queue.submit.bind(device.queue)
  const done = device.queue.onSubmittedWorkDone.bind(device.queue)
  const create = device.createBuffer.bind(device)
  device.queue.submit = (commands) => {
    submit(commands)
    if ([...commands].length > 0 || waiting.length === 0) return
    const told = waiting
    waiting = []
    looks.push(told.length)
    void Promise.allSettled(told.map((one) => one.done)).then(() => {
      for (const { tell } of told) tell()
    })
  }
  device.queue.onSubmittedWorkDone = () => delayed(done())
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor)
    const map = buffer.mapAsync.bind(buffer)
    buffer.mapAsync = (...asked) => delayed(map(...asked))
    return buffer
  }
}

beforeAll(async () => {
  const own = await ownGpu()
  const { device } = own
  const queue = device.queue
  const atOnce = queue.onSubmittedWorkDone.bind(queue)
  // Found out as in Firefox; no more time is spent on it than that.
  queue.onSubmittedWorkDone = () => new Promise((resolve) => setTimeout(() => resolve(undefined), 100))
  await findLateNews(device)
  queue.onSubmittedWorkDone = atOnce
  delayNews(device)
  gpu = { ...own, tuning: { ...own.tuning, stepsAhead: STEPS_AHEAD } }
})
afterAll(() => gpu.device.destroy())

test('an answer is heard to its end, four tokens at a time', { timeout: 60_000 }, async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const backbone = await GpuBackbone.create(gpu, decoder)
  const request = { ids: [3, 39, 17, 0, 22], casting: null, sampling: GREEDY, maxTokens: 12, stopIds: [] }
  looks = []
  let tokens = 0
  for await (const _ of backbone.generate(request)) tokens++
  expect(tokens).toBe(12)
  // Beside those that wait for a token there may be the one that waits for the prompt.
  expect(Math.max(...looks)).toBeGreaterThanOrEqual(STEPS_AHEAD)
  backbone.destroy()
})

test('a step of training waits once for the device', { timeout: 60_000 }, async () => {
  const run = await tinyRun(gpu)
  const ofSteps: number[] = []
  looks = []
  for await (const { kind } of run) {
    if (kind === 'step') ofSteps.push(looks.length)
    looks = []
  }
  // Between two steps there is nothing else to read: the loss and the report of the optimiser come together.
  expect(ofSteps.slice(1)).toEqual(Array.from({ length: 7 }, () => 1))
})
