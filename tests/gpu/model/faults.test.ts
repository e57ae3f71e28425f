import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { checkFirstLogits } from '../../../src/model/decoder/logits.ts'
import { scoreTokens } from '../../../src/model/decoder/score.ts'
import type { RunEvent } from '../../../src/train/run/run.ts'
import { DEVICE_FAULTS } from '../../support/deviceFaults.ts'
import { ownGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { tinyRun } from '../../support/tinyRun.ts'

const PROMPT = [3, 39, 17, 0, 22, 22, 8]
const request = { ids: PROMPT, casting: null, sampling: GREEDY, maxTokens: 12, stopIds: [] }
/** A quarter of a hundred of each kind. */
const TIMES = 25

let gpu: TunedDevice
let device: GPUDevice
let backbone: GpuBackbone
let whole: readonly number[]

async function wholeAnswer(): Promise<number[]> {
  const tokens: number[] = []
  for await (const id of backbone.generate(request)) tokens.push(id)
  return tokens
}

beforeAll(async () => {
  // Computing ahead is the harder way: a fault may spoil several tokens that wait.
  const own = await ownGpu()
  gpu = { ...own, tuning: { ...own.tuning, stepsAhead: 2 } }
  device = gpu.device
  backbone = await GpuBackbone.create(gpu, await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG))
  whole = await wholeAnswer()
})
afterAll(() => device.destroy())

describe.each(DEVICE_FAULTS)('$fault', ({ code, inject }) => {
  test(`stops an answer with its code within a token, ${TIMES} of ${TIMES} times`, async () => {
    const random = new Random(7, 1)
    for (let time = 0; time < TIMES; time++) {
      const before = Math.floor(random.nextUniform() * 10)
      const answer = backbone.generate(request)
      const said: number[] = []
      while (said.length < before) said.push((await answer.next()).value as number)
      inject(device)
      const after = async (): Promise<void> => {
        for await (const id of answer) said.push(id)
      }
      await expect(after()).rejects.toMatchObject({ name: 'HycoraError', code })
      expect(said.length).toBeLessThanOrEqual(before + 1)
      expect(said).toEqual(whole.slice(0, said.length))
      expect(await wholeAnswer()).toEqual(whole)
    }
  })

  test('stops a reading of logits, of one more token, and of scores', async () => {
    const works = [
      () => backbone.logits(PROMPT, null),
      () => backbone.step(5),
      () =>
        scoreTokens(
          backbone,
          PROMPT,
          PROMPT.map((_, index) => index > 2),
          null,
        ),
    ]
    for (const work of works) {
      await work()
      const reading = work()
      inject(device)
      await expect(reading).rejects.toMatchObject({ code })
      expect(await wholeAnswer()).toEqual(whole)
    }
  })

  test('stops training within a step', async () => {
    const seen: RunEvent[] = []
    const run = await tinyRun(gpu)
    const steps = (): number => seen.filter(({ kind }) => kind === 'step').length
    const finish = async (): Promise<void> => {
      for await (const event of run) {
        seen.push(event)
        if (event.kind === 'step' && event.step === 3) inject(device)
      }
    }
    await expect(finish()).rejects.toMatchObject({ code })
    expect(steps()).toBeLessThanOrEqual(4)
  })
})

test('weights that are gone are told in every answer', async () => {
  const own = await ownGpu()
  const broken = await GpuBackbone.create(own, backbone.shape)
  broken.weights.finalNorm.buffer.destroy()
  for (let time = 0; time < 3; time++) {
    await expect(broken.generate(request).next()).rejects.toMatchObject({ code: 'shape-mismatch' })
  }
  own.device.destroy()
})

test('a model that computes no numbers says so, at opening and in an answer', async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const broken = await GpuBackbone.create(gpu, decoder)
  await checkFirstLogits(broken)
  const gains = new Float32Array(decoder.hidden).fill(Infinity)
  device.queue.writeBuffer(broken.weights.finalNorm.buffer, 0, gains)
  await expect(checkFirstLogits(broken)).rejects.toMatchObject({ code: 'not-a-number' })
  for (const sampling of [GREEDY, { ...GREEDY, temperature: 0.8, topK: 5 }]) {
    const answer = broken.generate({ ...request, sampling })
    await expect(answer.next()).rejects.toMatchObject({ code: 'not-a-number' })
  }
  await expect(
    scoreTokens(
      broken,
      PROMPT,
      PROMPT.map(() => true),
      null,
    ),
  ).rejects.toMatchObject({
    code: 'not-a-number',
  })
  broken.destroy()
})
