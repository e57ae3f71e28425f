import { openAsBlob } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'
import { create, globals } from 'webgpu'

import { GREEDY } from '../../../src/core/sampling.ts'
import { Engine } from '../../../src/engine/engine.ts'
import type { GenerateParams } from '../../../src/engine/protocol.ts'
import type { GpuBackbone } from '../../../src/model/gpuBackbone.ts'

Object.assign(globalThis, globals)
const gpu = create([])

const root = resolve(import.meta.dirname, '../../../public/models/starter')
const FILES = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_fp16.onnx']

async function openEngine(): Promise<Engine> {
  const engine = new Engine(gpu, () => undefined)
  const files = new Map<string, Blob>()
  for (const path of FILES) files.set(path, await openAsBlob(resolve(root, path)))
  const load = engine.load({ name: 'Starter', files, pack: null, path: 'webgpu', rates: {} })
  while (!(await load.next()).done);
  return engine
}

const question: GenerateParams = {
  scene: {
    role: null,
    strength: 1,
    turns: [{ speaker: 'user', text: 'Tell me of the sea.' }],
    continueLast: false,
  },
  sampling: GREEDY,
  maxTokens: 40,
}

test('a failure that is no loss of the device ends the answer, and the next request has its turn', async () => {
  const engine = await openEngine()
  const answer = engine.generate(question, new AbortController().signal)
  expect((await answer.next()).done).toBe(false)
  const { stage } = engine as unknown as { stage: { backbone: GpuBackbone } }
  stage.backbone.destroy()
  await expect(
    (async () => {
      while (!(await answer.next()).done);
    })(),
  ).rejects.toMatchObject({ name: 'HycoraError' })
  expect((await engine.preview(question.scene)).tokens).toBeGreaterThan(0)
})

test('a text that is no data set is refused, not thrown past the one who asked', async () => {
  const text = ''
  const params = { text, fileName: 'a.csv', roleName: null, columns: null, maxTokens: 64, seed: 1 }
  const reading = new Engine(undefined, () => undefined).dataset(params)
  await expect(reading).rejects.toMatchObject({ code: 'format-invalid' })
})
