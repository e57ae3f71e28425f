import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { decoderPack } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'
import { DEVICE_FAULTS } from '../../support/deviceFaults.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

/* What is kept on the device from one reading to the next: keys and values of a text, and the A of who has played. */

const IDS = [3, 39, 17, 0, 22, 22, 8]
const ROLE: Casting = { parts: [{ role: 1, weight: 1 }], strength: 1 }

const outOfMemory = DEVICE_FAULTS.find(({ code }) => code === 'out-of-memory')!

let backbone: GpuBackbone

beforeAll(async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  backbone = await GpuBackbone.create(await testGpu(), decoder)
})
afterAll(() => backbone.destroy())

/** Log-probabilities of the last two tokens; what of the text was read before is not read again. */
function score(): Promise<Float32Array> {
  return backbone.score(
    IDS,
    IDS.map((_, index) => index >= IDS.length - 2),
    ROLE,
  )
}

/** Log-probabilities of all tokens but the first under a role. */
function scoreAs(role: number, on: GpuBackbone): Promise<Float32Array> {
  return on.score(
    IDS,
    IDS.map((_, index) => index > 0),
    { parts: [{ role, weight: 1 }], strength: 1 },
  )
}

test('a text that was read with one pack is read anew with the next', async () => {
  const packs = [await decoderPack(backbone.shape), await decoderPack(backbone.shape, { rank: 2 })]
  const scores: Float32Array[] = []
  for (const pack of packs) {
    await backbone.attach(pack)
    const kept = await score()
    // Logits are of the whole text, from its first token on.
    await backbone.logits(IDS, ROLE)
    expectClose(await score(), kept, 1e-8)
    scores.push(kept)
  }
  expect(nmse(scores[1]!, scores[0]!)).toBeGreaterThan(1e-3)
})

test('a text is scored under one role after another, while room is made for them', async () => {
  const pack = await decoderPack(backbone.shape)
  const open = async (): Promise<GpuBackbone> => {
    const opened = await GpuBackbone.create(await testGpu(), backbone.shape)
    await opened.attach(pack)
    return opened
  }
  const grown = await open()
  for (const role of [0, 1, 2]) {
    const alone = await open()
    expectClose(await scoreAs(role, grown), await scoreAs(role, alone), 1e-8)
    alone.destroy()
  }
  grown.destroy()
})

test('of more roles and blends than there is room for, each is itself whenever it plays', async () => {
  await backbone.attach(await decoderPack(backbone.shape))
  const castings = Array.from({ length: 20 }, (_, index): Casting => ({
    parts: [{ role: index % 3, weight: 0.5 + index / 20 }],
    strength: 1,
  }))
  const first: Float32Array[] = []
  const bytes = []
  for (const casting of castings) {
    first.push(await backbone.logits(IDS, casting))
    bytes.push(backbone.gpuBytes().adapter)
  }
  // Room for two at first, then twice as much whenever that does not do, up to 16.
  const steps = [...new Set(bytes)]
  const two = steps[1]! - steps[0]!
  expect(steps.map((all) => (all - steps[0]!) / two)).toEqual([0, 1, 3, 7])
  // The last ones are there, the others come in again, each for another.
  for (const index of [...castings.keys()].toReversed()) {
    expect(await backbone.logits(IDS, castings[index]!)).toEqual(first[index])
  }
  expect(new Set(first.map((logits) => logits.join(' '))).size).toBe(castings.length)
})

test('who finds no room beside the others plays in the place of one of them', async () => {
  await backbone.attach(await decoderPack(backbone.shape))
  const castings = [0, 1, 2].map((role): Casting => ({ parts: [{ role, weight: 1 }], strength: 1 }))
  const expected: Float32Array[] = []
  for (const casting of castings) expected.push(await backbone.logits(IDS, casting))
  await backbone.attach(await decoderPack(backbone.shape))
  for (const casting of castings.slice(0, 2)) await backbone.logits(IDS, casting)
  const { adapter } = backbone.gpuBytes()
  const { device } = backbone.gpu
  const create = device.createBuffer.bind(device)
  vi.spyOn(device, 'createBuffer').mockImplementation((descriptor) => {
    if (descriptor.label === 'adapter A') {
      vi.restoreAllMocks()
      outOfMemory.inject(device)
    }
    return create(descriptor)
  })
  expect(await backbone.logits(IDS, castings[2]!)).toEqual(expected[2])
  expect(backbone.gpuBytes().adapter).toBe(adapter)
  expect(await backbone.logits(IDS, castings[0]!)).toEqual(expected[0])
})

test('a pack that finds no room leaves the one before in its place, and nothing of itself', async () => {
  await backbone.attach(await decoderPack(backbone.shape))
  const before = await backbone.logits(IDS, ROLE)
  const next = await decoderPack(backbone.shape, { rank: 2 })
  const [made, freed] = [
    vi.spyOn(GPUDevice.prototype, 'createBuffer'),
    vi.spyOn(GPUBuffer.prototype, 'destroy'),
  ]
  const attaching = backbone.attach(next)
  outOfMemory.inject(backbone.gpu.device)
  await expect(attaching).rejects.toMatchObject({ code: 'out-of-memory' })
  const kept = new Set(made.mock.results.map(({ value }) => value))
  for (const buffer of freed.mock.contexts) kept.delete(buffer)
  vi.restoreAllMocks()
  expect(kept).toEqual(new Set())
  expect(await backbone.logits(IDS, ROLE)).toEqual(before)
  await backbone.attach(next)
  expect(nmse(await backbone.logits(IDS, ROLE), before)).toBeGreaterThan(1e-3)
})

test('a chat that outgrows its room is copied to more, and goes on as if it had always been there', async () => {
  const gpu = await testGpu()
  const pack = await decoderPack(backbone.shape)
  const answers = []
  for (const firstPositions of [32, 4]) {
    const grown = await GpuBackbone.create(gpu, backbone.shape, { firstPositions, cacheForm: 'halves' })
    await grown.attach(pack)
    const bytes = [grown.gpuBytes().cache]
    const said: number[] = []
    const request = { ids: IDS, casting: ROLE, sampling: GREEDY, maxTokens: 20, stopIds: [] }
    for await (const id of grown.generate(request)) {
      said.push(id)
      bytes.push(grown.gpuBytes().cache)
    }
    const guided = { ...request, sampling: { ...GREEDY, guidance: 0.5 }, beside: [...IDS, 5] }
    for await (const id of grown.generate(guided)) said.push(id)
    const logits = await grown.logits([...IDS, ...said.slice(0, 20)], ROLE)
    answers.push({ said, logits, bytes })
    grown.destroy()
  }
  const [whole, grown] = answers
  expect(whole!.said).toHaveLength(40)
  expect(grown!.said).toEqual(whole!.said)
  expect(grown!.logits).toEqual(whole!.logits)
  // Room for 4 positions, then for the prompt's 7 with one to spare, 16, and all 32 that there are.
  const [all] = whole!.bytes
  expect([...new Set(grown!.bytes)]).toEqual([all! / 8, all! / 4, all! / 2, all])
  expect(new Set(whole!.bytes)).toEqual(new Set([all]))
})

test('what is stated of a chat is what its buffers take, however it has grown', async () => {
  const made = vi.spyOn(GPUDevice.prototype, 'createBuffer')
  const freed = vi.spyOn(GPUBuffer.prototype, 'destroy')
  const grown = await GpuBackbone.create(await testGpu(), backbone.shape, {
    firstPositions: 4,
    cacheForm: 'halves',
  })
  await grown.attach(await decoderPack(backbone.shape))
  for (const role of [0, 1, 2]) await grown.logits(IDS, { parts: [{ role, weight: 1 }], strength: 1 })
  await grown.score(
    [...IDS, 5],
    [...IDS, 5].map((_, index) => index > 2),
    ROLE,
  )
  const gone = new Set<unknown>(freed.mock.contexts)
  const kept = made.mock.results.map(({ value }) => value).filter((buffer) => !gone.has(buffer))
  vi.restoreAllMocks()
  // Uniforms are the device's, which keeps them for all kernels with equal ones.
  const own = kept.filter(({ label }) => label !== 'uniforms')
  const stated = Object.values(grown.gpuBytes()).reduce((sum, bytes) => sum + bytes, 0)
  expect(stated).toBe(own.reduce((sum, { size }) => sum + size, 0))
  grown.destroy()
})
