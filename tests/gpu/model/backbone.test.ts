import { beforeAll, describe, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

async function greedy(backbone: GpuBackbone, ids: readonly number[], role: number | null, count: number) {
  const casting = role === null ? null : { parts: [{ role, weight: 1 }], strength: 1 }
  const answer: number[] = []
  const request = { ids, casting, sampling: GREEDY, maxTokens: count, stopIds: [] }
  for await (const id of backbone.generate(request)) answer.push(id)
  return answer
}

describe.skipIf(!hasShared)('the starter backbone against PyTorch (needs the developers’ material)', () => {
  let golden: Awaited<ReturnType<typeof readTensors>>['tensors']
  let backbone: GpuBackbone
  const values = (name: string): Float64Array => golden.get(name)!.values
  const ints = (name: string): number[] => Array.from(values(name))

  beforeAll(async () => {
    golden = (await readTensors(sharedPath('golden/backbone/golden.safetensors'))).tensors
    const model = await openChatModel(folder(sharedPath('backbone/starter')), { model: 'onnx/model.onnx' })
    backbone = await GpuBackbone.create(await testGpu(), model.decoder)
    await backbone.attach(await readPack(await fileSource(sharedPath('backbone/starter.hycora.safetensors'))))
  })

  test.each([0, 1, 2])('logits of prompt %i, bare and as every role', async (prompt) => {
    const ids = ints(`prompt.${prompt}.ids`)
    expectClose(await backbone.logits(ids, null), values(`prompt.${prompt}.bare.logits`), 1e-8)
    for (let role = 0; role < 6; role++) {
      const casting = { parts: [{ role, weight: 1 }], strength: 1 }
      const reference = values(`prompt.${prompt}.role${role}.logits`)
      expectClose(await backbone.logits(ids, casting), reference, 1e-8)
    }
  })

  test.each([0, 1, 2])('greedy continuation of prompt %i, bare and as every role', async (prompt) => {
    const ids = ints(`prompt.${prompt}.ids`)
    for (const role of [null, 0, 1, 2, 3, 4, 5]) {
      const expected = ints(`prompt.${prompt}.${role === null ? 'bare' : `role${role}`}.greedy`)
      expect(await greedy(backbone, ids, role, expected.length)).toEqual(expected)
    }
  })

  test('decoding with the cache equals reading the whole prompt', async () => {
    const ids = ints('prompt.0.ids')
    const casting = { parts: [{ role: 2, weight: 1 }], strength: 1 }
    const whole = await backbone.logits(ids, casting)
    await backbone.logits(ids.slice(0, 5), casting)
    const { vocabulary } = backbone.shape
    for (let i = 5; i < ids.length; i++) {
      const row = whole.subarray(i * vocabulary, (i + 1) * vocabulary)
      expect(nmse(await backbone.step(ids[i]!), row)).toBeLessThan(1e-10)
    }
  })
})
