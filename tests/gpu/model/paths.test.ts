import { readdirSync } from 'node:fs'

import * as ort from 'onnxruntime-web'
import { describe, expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { decoderPack } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

const IDS = [5, 9, 77, 42, 3, 100, 8, 8, 91, 256, 7]
const CASTINGS: readonly (Casting | null)[] = [
  null,
  { parts: [{ role: 0, weight: 1 }], strength: 1 },
  { parts: [{ role: 2, weight: 1 }], strength: 0.5 },
  {
    parts: [
      { role: 1, weight: 0.7 },
      { role: 2, weight: -0.2 },
    ],
    strength: 1,
  },
]

describe.skipIf(!hasShared)('the processor’s logits equal the GPU’s (needs the developers’ material)', () => {
  test.each([
    'g_llama_fp32_cpu',
    'g_qwen2_fp32_cpu',
    'g_qwen2_fp32_cpu_nofuse',
    't_llama_dyn18',
    't_llama_ts17',
    't_qwen2_ts17',
  ])('%s, bare, as roles and as a blend', async (name) => {
    ort.env.wasm.numThreads = 1
    const root = sharedPath(`onnx/${name}`)
    const { decoder } = await openChatModel(folder(root), { listing: readdirSync(root) })
    const pack = await decoderPack(decoder)
    const card = await GpuBackbone.create(await testGpu(), decoder)
    const processor = await OrtBackbone.create(ort, decoder)
    await card.attach(pack)
    await processor.attach(pack)
    const bare = await card.logits(IDS, null)
    for (const casting of CASTINGS) {
      const expected = await card.logits(IDS, casting)
      expect(nmse(expected, bare) > 1e-5).toBe(casting !== null)
      expectClose(await processor.logits(IDS, casting), expected, 1e-8)
      expectClose(await processor.step(42), await card.step(42), 1e-8)
    }
    card.destroy()
    processor.destroy()
  })
})
