import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { fileSource, folder } from '../../../src/cli/files.ts'
import { Random } from '../../../src/core/random.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { MOST_DIVERGENCE, measureCache } from '../../../src/model/gpu/cacheDivergence.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const shipped = resolve(import.meta.dirname, '../../../public')

test('keys and values in halves move the starter’s distributions by less than is allowed, and by something', async () => {
  const gpu = await testGpu()
  const { decoder } = await openChatModel(folder(resolve(shipped, 'models/starter')), {
    model: 'onnx/model_fp16.onnx',
  })
  const pack = await readPack(await fileSource(resolve(shipped, 'packs/starter.hycora.safetensors')))
  const open = async (cacheForm: 'halves' | 'floats'): Promise<GpuBackbone> => {
    const backbone = await GpuBackbone.create(gpu, decoder, { cacheForm })
    await backbone.attach(pack)
    return backbone
  }
  const [floats, halves] = [await open('floats'), await open('halves')]
  const random = new Random(31)
  const ids = Array.from({ length: 96 }, () => random.nextBelow(4000))
  const { tokens, mean, greatest } = await measureCache(floats, halves, ids, {
    parts: [{ role: 1, weight: 1 }],
    strength: 1,
  })
  floats.destroy()
  halves.destroy()
  expect(tokens).toBe(96)
  expect(greatest).toBeGreaterThan(mean)
  expect(mean).toBeGreaterThan(1e-12)
  expect(mean).toBeLessThan(MOST_DIVERGENCE)
})

test('a rotation that fills no whole words of halves is computed with floats, whatever is asked for', async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const gpu = await testGpu()
  const bytes = []
  for (const dim of [decoder.rotation.dim, 2]) {
    const rotated = { ...decoder, rotation: { ...decoder.rotation, dim } }
    const backbone = await GpuBackbone.create(gpu, rotated, { cacheForm: 'halves' })
    bytes.push(backbone.gpuBytes().cache)
    backbone.destroy()
  }
  expect(bytes[1]).toBe(2 * bytes[0]!)
})
