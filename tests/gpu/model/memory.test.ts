import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { weightBytes } from '../../../src/model/gpu/gpuWeights.ts'
import { testGpu } from '../../support/device.ts'

const MOST_BYTES = 200e6

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
