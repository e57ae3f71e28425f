import { beforeAll, expect, test } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import type { TunedDevice, Tuning } from '../../../src/gpu/tuning.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { checkKnownAnswers } from '../../../src/model/gpu/knownAnswers.ts'
import { expectClose } from '../../support/compare.ts'
import { decoderPack } from '../../support/decoderPack.ts'
import { ownGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { scrambleDevice } from '../../support/scrambledLanes.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { tinyRun } from '../../support/tinyRun.ts'

/* What cards compute with is another plan than that of the drivers tests run on: it is taken here, once as it is and once
   with lanes out of their order, which shows what waits for nobody. */

const PROMPT = Array.from({ length: 20 }, (_, index) => (7 * index + 3) % 40)
const ROLE = { parts: [{ role: 1, weight: 1 }], strength: 1 }

/** What a chat computes: logits of a prompt, and the tokens of an answer. */
async function chat(gpu: TunedDevice): Promise<{ logits: Float32Array; said: number[] }> {
  const options = { linear: 'blocks4', headNorms: 'each' } as const
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder(options)), TINY_CONFIG)
  const backbone = await GpuBackbone.create(gpu, decoder)
  await backbone.attach(await decoderPack(decoder))
  const logits = await backbone.logits(PROMPT, ROLE)
  const said: number[] = []
  const request = { ids: PROMPT, casting: ROLE, sampling: GREEDY, maxTokens: 8, stopIds: [] }
  for await (const id of backbone.generate(request)) said.push(id)
  backbone.destroy()
  return { logits, said }
}

/** The loss of each of eight steps, and the norm of its gradient. */
async function train(gpu: TunedDevice): Promise<number[]> {
  const numbers: number[] = []
  for await (const event of await tinyRun(gpu)) {
    if (event.kind === 'step') numbers.push(event.crossEntropy, event.gradientNorm)
  }
  return numbers
}

async function gpuWith(tuning: Tuning): Promise<TunedDevice> {
  return { ...(await ownGpu()), tuning }
}

/** The same by the plans of a processor. */
let whole: Awaited<ReturnType<typeof chat>>
let losses: number[]

beforeAll(async () => {
  const gpu = await gpuWith(EMULATED)
  whole = await chat(gpu)
  losses = await train(gpu)
  gpu.device.destroy()
})

async function expectTheSame(card: TunedDevice): Promise<void> {
  const { logits, said } = await chat(card)
  expectClose(logits, whole.logits, 1e-9)
  expect(said).toEqual(whole.said)
  expectClose(await train(card), losses, 1e-9)
  await checkKnownAnswers(card)
  card.device.destroy()
}

test('a card’s plans compute what a processor’s do', async () => {
  expect(whole.said).toHaveLength(8)
  await expectTheSame(await gpuWith(CARD))
})

test('and so they do with lanes out of their order', async () => {
  const card = await gpuWith(CARD)
  // Mesa takes a minute or more to compile a new sampler; `HYCORA_LANES=scrambled` has it scrambled too.
  const scrambled = scrambleDevice(card.device, ['sample_token'])
  await expectTheSame(card)
  const needed = ['project', 'project_tile', 'attention', 'attention_backward_query', 'layer_norm']
  expect([...scrambled]).toEqual(expect.arrayContaining(needed))
})
