import { afterAll, beforeAll, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { forgetFaults } from '../../../src/gpu/deviceFaults.ts'
import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { scoreTokens } from '../../../src/model/decoder/score.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { decoderPack } from '../../support/decoderPack.ts'
import { ownGpu } from '../../support/device.ts'
import { watchBuffers } from '../../support/invalidBuffers.ts'
import type { WatchedBuffers } from '../../support/invalidBuffers.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { tinyRun } from '../../support/tinyRun.ts'

/* A buffer that the card cannot give is invalid, and whatever touches it is dropped without a word: each one, in turn. */

const PROMPT = [3, 39, 17, 0, 22, 22, 8]
const ROLE = { parts: [{ role: 1, weight: 1 }], strength: 1 }

let gpu: TunedDevice
let buffers: WatchedBuffers
let decoder: Decoder
let pack: Pack

beforeAll(async () => {
  gpu = await ownGpu()
  buffers = watchBuffers(gpu.device)
  decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  pack = await decoderPack(decoder, { A: 'hyper', B: 'shared' })
})
afterAll(() => gpu.device.destroy())

/** A chat of a role from loading on: an answer, one with guidance, scores and logits. */
async function chat(): Promise<number[]> {
  const backbone = await GpuBackbone.create(gpu, decoder)
  try {
    await backbone.attach(pack)
    const said: number[] = []
    const request = { ids: PROMPT, casting: ROLE, sampling: GREEDY, maxTokens: 3, stopIds: [] }
    for await (const id of backbone.generate(request)) said.push(id)
    const guided = { ...request, sampling: { ...GREEDY, guidance: 0.5 }, beside: [...PROMPT, 5] }
    for await (const id of backbone.generate(guided)) said.push(id)
    const isReply = PROMPT.map((_, index) => index > 2)
    const scores = await scoreTokens(backbone, PROMPT, isReply, ROLE)
    const logits = await backbone.logits(PROMPT, ROLE)
    return [...said, ...scores, ...logits]
  } finally {
    backbone.destroy()
  }
}

/** Eight steps of training, and what they made. */
async function training(): Promise<number[]> {
  const run = await tinyRun(gpu)
  for (;;) {
    const next = await run.next()
    if (next.done) return [...next.value.tensors.values()].flatMap((values) => [...values])
  }
}

/** What became of it with each buffer invalid: the code, or that nobody was told. */
async function endings(work: () => Promise<number[]>): Promise<{ label: string; end: string }[]> {
  buffers.watch()
  await work()
  const { labels } = buffers
  const found: { label: string; end: string }[] = []
  for (const [index, label] of labels.entries()) {
    buffers.watch(index)
    const end = await work().then(
      () => 'silent',
      (error: unknown) => (error instanceof HycoraError ? error.code : String(error)),
    )
    found.push({ label, end })
    forgetFaults(gpu.device)
  }
  return found
}

test.each([
  { name: 'a chat', work: chat, least: 60 },
  { name: 'training', work: training, least: 100 },
])('$name ends with a code whichever of its buffers is invalid', async ({ work, least }) => {
  buffers.watch()
  const whole = await work()
  const found = await endings(work)
  expect(found.length).toBeGreaterThan(least)
  expect(found.filter(({ end }) => end !== 'shape-mismatch' && end !== 'out-of-memory')).toEqual([])
  buffers.watch()
  expect(await work()).toEqual(whole)
})
