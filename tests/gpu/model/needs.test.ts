import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { graphicsNeeds, MAX_SEQUENCES } from '../../../src/core/graphicsMemory.ts'
import { tryRoom } from '../../../src/gpu/trialRoom.ts'
import { readModelFacts, weightsOf } from '../../../src/hub/modelFit.ts'
import { variantsOf } from '../../../src/hub/variants.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { ownGpu, testGpu } from '../../support/device.ts'

const MODELS = resolve(import.meta.dirname, '../../../public/models')

/** What is told of a model before it is fetched may differ from what it then takes by a tenth. */
test.each(['starter', 'smollm2-135m-instruct'])('what %s needs is what it takes', async (name) => {
  const root = join(MODELS, name)
  const listing = readdirSync(root, { recursive: true }).map((path) => String(path).replaceAll('\\', '/'))
  const [variant] = variantsOf(listing.map((path) => ({ path, bytes: statSync(join(root, path)).size })))
  const facts = readModelFacts(JSON.parse(readFileSync(join(root, 'config.json'), 'utf8')))
  const gpu = await testGpu()
  const { maxStorageBufferBindingSize } = gpu.device.limits
  const needs = graphicsNeeds(facts!.shape, weightsOf(variant!), maxStorageBufferBindingSize)
  const { decoder } = await openChatModel(folder(root), { listing })
  // The cache grows with the chat: this is what it may come to.
  const backbone = await GpuBackbone.create(gpu, decoder, {
    cacheForm: 'halves',
    firstPositions: Infinity,
  })
  const { weights, cache, workspace } = backbone.gpuBytes()
  backbone.destroy()
  // Until guidance asks for it, the second sequence has no room of its own yet.
  const taken = weights + MAX_SEQUENCES * cache + workspace
  expect(needs / taken).toBeGreaterThan(1 / 1.1)
  expect(needs / taken).toBeLessThan(1.1)
})

test('a trial of room gives what is wanted where there is so much, and nothing where a buffer is refused', async () => {
  const { device } = await ownGpu()
  expect(await tryRoom(device, 0)).toBe(0)
  expect(await tryRoom(device, 5_000_000, 2 ** 20)).toBe(5_000_000)
  expect(await tryRoom(device, 5_000_000, 2 * device.limits.maxBufferSize)).toBe(0)
  // What was tried is given back, and a refusal leaves the device as it was.
  expect(await tryRoom(device, 5_000_000)).toBe(5_000_000)
  device.destroy()
})
