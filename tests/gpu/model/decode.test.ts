import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'

import { GREEDY, STEADY } from '../../../src/core/sampling.ts'
import type { Sampling } from '../../../src/core/sampling.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { decoderPack } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const PROMPT = [3, 39, 17, 0, 22, 22, 8]
const ROLE: Casting = { parts: [{ role: 1, weight: 1 }], strength: 1 }
const BLEND: Casting = {
  parts: [
    { role: 0, weight: 0.6 },
    { role: 2, weight: 0.4 },
  ],
  strength: 1.2,
}
const WARM_UP = 2
const TOKENS = 10

/**
 * What one token may take, whoever plays. Nine dispatches for each of the two layers, five around them: embedding, last
 * norm, head, and two that draw; where an answer is led, one more rules out what it must not be led to.
 */
const BUDGET = {
  buffers: 0,
  bindGroups: 0,
  compiled: 0,
  submits: 1,
  commandBuffers: 1,
  passes: 1,
  dispatches: 9 * 2 + 5,
  writes: 0,
  reads: 1,
  bytesRead: 4,
}

/** The budget of so many tokens. */
function budgetOf(tokens: number, isLed = false): typeof BUDGET {
  const budget = { ...BUDGET, dispatches: BUDGET.dispatches + Number(isLed) }
  const entries = Object.entries(budget).map(([name, count]) => [name, tokens * count])
  return Object.fromEntries(entries) as typeof BUDGET
}

let backbone: GpuBackbone

beforeAll(async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  backbone = await GpuBackbone.create(await testGpu(), decoder)
  await backbone.attach(await decoderPack(decoder))
})
afterEach(() => {
  vi.restoreAllMocks()
})
afterAll(() => backbone.destroy())

/** Counts what is asked of the device from now on; every call still reaches it. */
function watchDevice() {
  const buffer = vi.spyOn(GPUDevice.prototype, 'createBuffer')
  const bindGroup = vi.spyOn(GPUDevice.prototype, 'createBindGroup')
  const compiled = [
    vi.spyOn(GPUDevice.prototype, 'createShaderModule'),
    vi.spyOn(GPUDevice.prototype, 'createComputePipeline'),
    vi.spyOn(GPUDevice.prototype, 'createComputePipelineAsync'),
  ]
  const submit = vi.spyOn(GPUQueue.prototype, 'submit')
  const write = vi.spyOn(GPUQueue.prototype, 'writeBuffer')
  const pass = vi.spyOn(GPUCommandEncoder.prototype, 'beginComputePass')
  const dispatch = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups')
  const map = vi.spyOn(GPUBuffer.prototype, 'mapAsync')
  return () => ({
    buffers: buffer.mock.calls.length,
    bindGroups: bindGroup.mock.calls.length,
    compiled: compiled.reduce((sum, spy) => sum + spy.mock.calls.length, 0),
    submits: submit.mock.calls.length,
    commandBuffers: submit.mock.calls.reduce((sum, [buffers]) => sum + [...buffers].length, 0),
    passes: pass.mock.calls.length,
    dispatches: dispatch.mock.calls.length,
    writes: write.mock.calls.length,
    reads: map.mock.calls.length,
    // A map without a range is of the whole buffer.
    bytesRead: map.mock.calls.reduce((sum, [, offset = 0, size], call) => {
      const mapped = map.mock.contexts[call] as GPUBuffer
      return sum + (size ?? mapped.size - offset)
    }, 0),
  })
}

/** What guidance leads away from, where there is any. */
type Beside = { readonly beside?: readonly number[] }

/** The same chat with other last words. */
const BESIDE: Beside = { beside: [...PROMPT.slice(0, 4), 5] }

const cases: readonly (readonly [
  what: string,
  casting: Casting | null,
  sampling: Sampling,
  beside: Beside,
])[] = [
  ['most likely token of a role', ROLE, GREEDY, {}],
  ['drawn token of a role', ROLE, { ...STEADY, topK: 20, topP: 0.9, seed: 7 }, {}],
  ['drawn token of a blend', BLEND, { ...STEADY, seed: 7 }, {}],
  ['token of the bare backbone', null, GREEDY, {}],
  ['token that keeps to the question', ROLE, { ...STEADY, seed: 7 }, BESIDE],
]

/** What ten tokens took, once an answer is under way. */
async function countTokens(casting: Casting | null, sampling: Sampling, beside: Beside = {}) {
  const request = { ...beside, ids: PROMPT, casting, sampling, maxTokens: 2 * TOKENS, stopIds: [] }
  const answer = backbone.generate(request)
  // The steps that run ahead are waited for, so that the next answer begins anew.
  onTestFinished(async () => void (await answer.return('cancelled')))
  const next = async () => (await answer.next()).done
  for (let count = 0; count < WARM_UP; count++) expect(await next()).toBe(false)
  const counted = watchDevice()
  for (let count = 0; count < TOKENS; count++) expect(await next()).toBe(false)
  return counted()
}

test.each(cases)(
  'a %s is one submit and four bytes read, and nothing is made',
  async (_, casting, sampling, beside) => {
    expect(await countTokens(casting, sampling, beside)).toEqual(budgetOf(TOKENS, beside === BESIDE))
    expect(backbone.dispatchesPerToken()).toBe(BUDGET.dispatches)
  },
)

test('without a pack a token takes no less', async () => {
  await backbone.attach(null)
  onTestFinished(async () => backbone.attach(await decoderPack(backbone.shape)))
  expect(await countTokens(null, GREEDY)).toEqual(budgetOf(TOKENS))
})

test('whoever has played before comes back without anything made or compiled', async () => {
  const request = { ids: PROMPT, sampling: GREEDY, maxTokens: 1, stopIds: [] }
  const play = async (casting: Casting | null) => {
    const ids = []
    for await (const id of backbone.generate({ ...request, casting })) ids.push(id)
    return ids
  }
  const castings = [ROLE, BLEND, null, { ...ROLE, strength: 0.5 }]
  for (const casting of castings) await play(casting)
  const counted = watchDevice()
  for (const casting of castings) await play(casting)
  // The prompt, its last token's logits, the token.
  expect(counted()).toMatchObject({
    buffers: 0,
    bindGroups: 0,
    compiled: 0,
    submits: 3 * castings.length,
    reads: castings.length,
  })
})
