import { join, resolve } from 'node:path'

import { expect, test } from 'vitest'

import { fileSource, folder } from '../../../src/cli/files.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { weightBytes } from '../../../src/model/gpu/gpuWeights.ts'
import { testGpu } from '../../support/device.ts'

const MOST_BYTES = 200e6
/** On the device at the beginning of a chat. */
const MOST_GRAPHICS_BYTES = 200 * 2 ** 20

test('SmolLM2 comes to the GPU in pieces, and stays packed there', async () => {
  const root = resolve(import.meta.dirname, '../../../public/models/smollm2-135m-instruct')
  const before = process.memoryUsage()
  let peak = 0
  const look = (): void => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    peak = Math.max(peak, heapUsed - before.heapUsed + arrayBuffers - before.arrayBuffers)
  }
  const model = await openChatModel(folder(root), { model: 'onnx/model_q4f16.onnx' })
  look()
  const backbone = await GpuBackbone.create(await testGpu(), model.decoder, {
    cacheBytes: 2 ** 24,
    onBytes: look,
  })
  look()
  const { weights } = backbone.gpuBytes()
  backbone.destroy()
  expect(peak).toBeLessThan(MOST_BYTES)
  // Scales and zero points come on top of the codes.
  expect(weights).toBeGreaterThan(weightBytes(model.decoder))
  expect(weights).toBeLessThan(1.35 * weightBytes(model.decoder))
})

test('with its characters it takes no more at the beginning of a chat than this', async () => {
  const root = resolve(import.meta.dirname, '../../../public')
  const { decoder } = await openChatModel(folder(join(root, 'models/smollm2-135m-instruct')), {
    model: 'onnx/model_q4f16.onnx',
  })
  const pack = await readPack(await fileSource(join(root, 'packs/smollm2-135m-instruct.hycora.safetensors')))
  const backbone = await GpuBackbone.create(await testGpu(), decoder, { cacheForm: 'halves' })
  await backbone.attach(pack)
  await backbone.logits([1, 2, 3], { parts: [{ role: 0, weight: 1 }], strength: 1 })
  const bytes = backbone.gpuBytes()
  backbone.destroy()
  // Of 1,024 positions: 30 layers, keys and values of 3 heads of 64, in halves.
  expect(bytes.cache).toBe(1024 * 30 * 2 * 3 * 64 * 2)
  const total = Object.values(bytes).reduce((sum, one) => sum + one, 0)
  expect(total).toBeLessThan(MOST_GRAPHICS_BYTES)
})
