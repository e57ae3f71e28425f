import { resolve } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { Random } from '../../../src/core/random.ts'
import { readPack } from '../../../src/formats/pack.ts'
import type { Backbone } from '../../../src/model/decoder/backbone.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { scoreTokens } from '../../../src/model/decoder/score.ts'
import { testGpu } from '../../support/device.ts'

const shipped = resolve(import.meta.dirname, '../../../public')
let backbone: GpuBackbone

beforeAll(async () => {
  const model = await openChatModel(folder(resolve(shipped, 'models/starter')), {
    model: 'onnx/model_fp16.onnx',
  })
  backbone = await GpuBackbone.create(await testGpu(), model.decoder)
  await backbone.attach(
    await readPack(await fileSource(resolve(shipped, 'packs/starter.hycora.safetensors'))),
  )
})

afterAll(() => backbone.destroy())

/** The same backbone as an engine that can give logits alone. */
function plainEngine(): Backbone {
  return {
    shape: backbone.shape,
    context: backbone.context,
    affordsGuidance: backbone.affordsGuidance,
    gpuBytes: () => backbone.gpuBytes(),
    attach: (pack) => backbone.attach(pack),
    logits: (ids, casting) => backbone.logits(ids, casting),
    step: (id) => backbone.step(id),
    generate: (request) => backbone.generate(request),
    destroy: () => backbone.destroy(),
  }
}

const random = new Random(21)
const ids = Array.from({ length: 90 }, () => random.nextBelow(4000))

test.each([
  ['a few tokens of a role', 1, (index: number) => index > 80],
  ['every second token, bare', null, (index: number) => index % 2 === 1],
  ['all tokens of a role, the first of which has no probability', 2, () => true],
  ['a text that begins like the last one', 2, (index: number) => index > 66 && index < 76],
  ['nothing', 0, () => false],
])('log-probabilities of %s equal those of the logits (seed 21)', async (_, role, isAsked) => {
  const casting = role === null ? null : { parts: [{ role, weight: 1 }], strength: 1 }
  const isReply = ids.map((__, index) => isAsked(index))
  const scores = await scoreTokens(backbone, ids, isReply, casting)
  const reference = await scoreTokens(plainEngine(), ids, isReply, casting)
  // The other engine has moved the cache on; with it warm the answer is the same.
  const again = await scoreTokens(backbone, ids, isReply, casting)
  expect(scores).toHaveLength(isReply.filter((marked, index) => marked && index > 0).length)
  for (const [index, value] of reference.entries()) {
    expect(scores[index]).toBeCloseTo(value, 3)
    expect(again[index]).toBeCloseTo(value, 3)
  }
})
