import { beforeAll, describe, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { expectClose } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

describe.skipIf(!hasShared)('SmolLM2 against PyTorch (needs the developers’ material)', () => {
  const root = sharedPath('backbone/smollm2-135m-instruct')
  let backbone: GpuBackbone

  beforeAll(async () => {
    const model = await openChatModel(folder(root), { model: 'onnx/model_q4f16.onnx' })
    backbone = await GpuBackbone.create(await testGpu(), model.decoder, { cacheBytes: 64 * 2 ** 20 })
    await backbone.attach(
      await readPack(await fileSource(sharedPath('backbone/smollm2-test.hycora.safetensors'))),
    )
  })

  test.each(['chat', 'plain'])('bare logits of the %s prompt', async (prompt) => {
    const { tensors } = await readTensors(`${root}/golden.safetensors`)
    const ids = Array.from(tensors.get(`${prompt}.ids`)!.values)
    const reference = tensors.get(`${prompt}.logits`)!.values
    const logits = await backbone.logits(ids, null)
    expectClose(logits.subarray(logits.length - reference.length), reference, 1e-6)
  })

  test.each([0, 7])('logits and greedy tokens of role %i', async (role) => {
    const { tensors } = await readTensors(sharedPath('backbone/smollm2-test-golden.safetensors'))
    const ids = Array.from(tensors.get(`${role}.ids`)!.values)
    const reference = tensors.get(`${role}.logits`)!.values
    const casting = { parts: [{ role, weight: 1 }], strength: 1 }
    const logits = await backbone.logits(ids, casting)
    expectClose(logits.subarray(logits.length - reference.length), reference, 1e-6)

    const expected = Array.from(tensors.get(`${role}.greedy`)!.values)
    const answer: number[] = []
    const request = { ids, casting, sampling: GREEDY, maxTokens: expected.length, stopIds: [] }
    for await (const id of backbone.generate(request)) answer.push(id)
    expect(answer).toEqual(expected)
  })
})
