import { resolve } from 'node:path'

import { beforeAll, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { ChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import type { ReferenceAdapters } from '../../reference/decoder.ts'
import { generateA } from '../../reference/hypernetwork.ts'
import { expectClose, expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'

const root = resolve(import.meta.dirname, '../../../public')
const IDS = [1, 388, 266, 201, 42, 77, 1023]

let model: ChatModel
let pack: Pack
let backbone: GpuBackbone

beforeAll(async () => {
  model = await openChatModel(folder(resolve(root, 'models/starter')), { model: 'onnx/model_fp16.onnx' })
  pack = await readPack(await fileSource(resolve(root, 'packs/starter.hycora.safetensors')))
  backbone = await GpuBackbone.create(await testGpu(), model.decoder)
  await backbone.attach(pack)
})

/** The adapters of a role (or several, mixed) in f64, straight from the paper's equations. */
function adaptersOf(parts: readonly { role: number; weight: number }[], strength: number): ReferenceAdapters {
  // As numbers, whether the pack stores halves or not.
  const parameters = new Map([...pack.tensors.keys()].map((name) => [name, pack.tensor(name)] as const))
  const { projections, layers, rank, alpha } = pack.config
  return (layer, projection) => {
    const layerId = projections.indexOf(projection) * layers + layer
    const matrices = parts.map(({ role }) => generateA(parameters, pack.config, role, layerId))
    const a = matrices[0]!.map((_, index) =>
      parts.reduce((sum, { weight }, at) => sum + weight * matrices[at]![index]!, 0),
    )
    const b = Float64Array.from(pack.tensor(`layers.${layer}.${projection}.lora_B`))
    return { a, b, scale: (alpha / rank) * strength }
  }
}

test('as a role, at another strength and as a blend, logits equal the f64 reference', async () => {
  const reference = await loadReference(model.decoder)
  const castings = [
    { parts: [{ role: 0, weight: 1 }], strength: 1 },
    { parts: [{ role: 3, weight: 1 }], strength: 1.5 },
    {
      parts: [
        { role: 1, weight: 0.7 },
        { role: 4, weight: -0.4 },
      ],
      strength: 1,
    },
  ]
  for (const casting of castings) {
    const { logits } = referenceForward(reference, IDS, adaptersOf(casting.parts, casting.strength))
    expectClose(await backbone.logits(IDS, casting), logits, 1e-10)
  }
})

test('with a pack attached, no role is the bare backbone, bit for bit', async () => {
  const bare = await GpuBackbone.create(await testGpu(), model.decoder)
  const expected = await bare.logits(IDS, null)
  expectSameBits(await backbone.logits(IDS, null), expected)
  const silent = { parts: [{ role: 2, weight: 1 }], strength: 0 }
  expectSameBits(await backbone.logits(IDS, silent), expected)
  expect(nmse(await backbone.logits(IDS, { ...silent, strength: 1 }), expected)).toBeGreaterThan(1e-4)
  bare.destroy()
})

test('the same seed gives the same answer, another seed another, and a read prefix changes nothing', async () => {
  const casting = { parts: [{ role: 0, weight: 1 }], strength: 1 }
  const sampling = { ...GREEDY, temperature: 1, minP: 0.02, repetitionPenalty: 1.1, repetitionWindow: 16 }
  const answer = async (seed: number, ids: readonly number[]): Promise<number[]> => {
    const tokens: number[] = []
    const request = { ids, casting, sampling: { ...sampling, seed }, maxTokens: 12, stopIds: [] }
    for await (const id of backbone.generate(request)) tokens.push(id)
    return tokens
  }
  const first = await answer(1, IDS)
  expect(await answer(1, IDS)).toEqual(first)
  expect(await answer(2, IDS)).not.toEqual(first)
  // The cache holds this very prompt and its answer: going on from the middle of it must not matter.
  const further = await answer(1, [...IDS, ...first.slice(0, 5)])
  expect(further.slice(0, 7)).toEqual(first.slice(5))
})

test('an answer ends at a stop token, at its length, at the context’s end and when asked to', async () => {
  const run = async (options: {
    stopIds?: number[]
    maxTokens?: number
    abortAt?: number
    ids?: number[]
  }) => {
    const controller = new AbortController()
    const request = {
      ids: options.ids ?? IDS,
      casting: null,
      sampling: GREEDY,
      maxTokens: options.maxTokens ?? 6,
      stopIds: options.stopIds ?? [],
      signal: controller.signal,
    }
    const generator = backbone.generate(request)
    const tokens: number[] = []
    for (;;) {
      const { done, value } = await generator.next()
      if (done) return { tokens, reason: value }
      tokens.push(value)
      if (tokens.length === options.abortAt) controller.abort()
    }
  }
  const { tokens, reason } = await run({})
  expect(reason).toBe('length')
  const third = tokens[2]!
  expect(await run({ stopIds: [third] })).toEqual({
    tokens: tokens.slice(0, tokens.indexOf(third)),
    reason: 'end',
  })
  expect((await run({ abortAt: 2 })).reason).toBe('cancelled')
  const long = Array.from({ length: backbone.context - 2 }, (_, index) => index % 100)
  expect(await run({ ids: long })).toMatchObject({ tokens: { length: 2 }, reason: 'context' })
  await expect(run({ ids: [...long, 1, 2, 3] })).rejects.toThrow(/1025 tokens, this backbone holds 1024/)
})

test('a stop is heard in the middle of a long prompt, and what was read of it counts', async () => {
  const ids = Array.from({ length: 400 }, (_, index) => (index * 37) % 4096)
  const request = { ids, casting: null, sampling: GREEDY, maxTokens: 3, stopIds: [] }
  const whole: number[] = []
  for await (const id of backbone.generate(request)) whole.push(id)

  const controller = new AbortController()
  const other = ids.map((id) => (id + 1) % 4096)
  const stopped = backbone.generate({ ...request, ids: other, signal: controller.signal }).next()
  controller.abort()
  expect(await stopped).toEqual({ done: true, value: 'cancelled' })

  const again: number[] = []
  for await (const id of backbone.generate(request)) again.push(id)
  expect(again).toEqual(whole)
})

test('playing pack after pack takes no more room on the device', async () => {
  const device = await testDevice()
  const create = device.createBuffer.bind(device)
  const held = new Set<GPUBuffer>()
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor)
    const destroy = buffer.destroy.bind(buffer)
    held.add(buffer)
    buffer.destroy = () => {
      held.delete(buffer)
      return destroy()
    }
    return buffer
  }
  const counts: number[] = []
  try {
    for (let time = 0; time < 3; time++) {
      await backbone.attach(pack)
      await backbone.logits(IDS, { parts: [{ role: time, weight: 1 }], strength: 1 })
      counts.push(held.size)
    }
  } finally {
    device.createBuffer = create
  }
  expect(counts).toEqual([counts[0], counts[0], counts[0]])
})
