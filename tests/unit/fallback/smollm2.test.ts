import * as ort from 'onnxruntime-web'
import { describe, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

/** log softmax of one row. */
function logProbabilities(row: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(row)
  const peak = values.reduce((most, value) => Math.max(most, value), -Infinity)
  const total = values.reduce((sum, value) => sum + Math.exp(value - peak), 0)
  return values.map((value) => value - peak - Math.log(total))
}

/** KL divergence of each row of the actual logits from the reference's. */
function divergences(actual: Float32Array, reference: Float64Array, vocabulary: number): number[] {
  return Array.from({ length: reference.length / vocabulary }, (_, row) => {
    const p = logProbabilities(reference.subarray(row * vocabulary, (row + 1) * vocabulary))
    const q = logProbabilities(actual.subarray(row * vocabulary, (row + 1) * vocabulary))
    return p.reduce((sum, value, i) => sum + Math.exp(value) * (value - q[i]!), 0)
  })
}

describe.skipIf(!hasShared)('SmolLM2 with weights in 8 bits (needs the developers’ material)', () => {
  test('stays near PyTorch in float32, bare and as two roles', { timeout: 120_000 }, async () => {
    ort.env.wasm.numThreads = 2
    const root = sharedPath('backbone/smollm2-135m-instruct')
    const { decoder } = await openChatModel(folder(root), { model: 'onnx/model_q4f16.onnx' })
    const backbone = await OrtBackbone.create(ort, decoder)
    await backbone.attach(
      await readPack(await fileSource(sharedPath('backbone/smollm2-test.hycora.safetensors'))),
    )
    const bare = (await readTensors(`${root}/golden.safetensors`)).tensors
    const roles = (await readTensors(sharedPath('backbone/smollm2-test-golden.safetensors'))).tensors
    const cases = [
      ...['chat', 'plain'].map((name) => ({ tensors: bare, name, casting: null })),
      ...[0, 7].map((role) => {
        return { tensors: roles, name: `${role}`, casting: { parts: [{ role, weight: 1 }], strength: 1 } }
      }),
    ]
    const found: number[] = []
    for (const { tensors, name, casting } of cases) {
      const reference = tensors.get(`${name}.logits`)!.values
      const logits = await backbone.logits([...tensors.get(`${name}.ids`)!.values], casting)
      const last = logits.subarray(logits.length - reference.length)
      found.push(...divergences(last, reference, decoder.vocabulary))
    }
    backbone.destroy()
    expect(found.length).toBeGreaterThan(10)
    expect(found.reduce((sum, value) => sum + value, 0) / found.length).toBeLessThan(0.05)
  })
})
