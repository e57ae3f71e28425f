import * as ort from 'onnxruntime-web'
import { beforeAll, expect, test } from 'vitest'

import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { logProbability } from '../../../src/model/decoder/score.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

beforeAll(() => {
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
})

test(
  'log-probabilities of marked tokens equal those of the logits, with the cache cold and warm',
  { timeout: 60_000 },
  async () => {
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), {
      ...TINY_CONFIG,
      max_position_embeddings: 128,
    })
    const backbone = await OrtBackbone.create(ort, decoder)
    const { vocabulary } = backbone.shape
    const ids = Array.from({ length: 70 }, (_, index) => (7 * index + 3) % vocabulary)
    const isReply = ids.map((_, index) => index === 0 || (index > 20 && index % 3 === 0))
    const logits = await backbone.logits(ids, null)
    const expected = ids.flatMap((target, index) => {
      const row = logits.subarray((index - 1) * vocabulary, index * vocabulary)
      return index > 0 && isReply[index] ? [logProbability(row, target)] : []
    })
    for (const last of [ids.length, 50, ids.length]) {
      const scores = await backbone.score(ids.slice(0, last), isReply.slice(0, last), null)
      const own = expected.slice(0, scores.length)
      expect(scores).toHaveLength(isReply.slice(1, last).filter(Boolean).length)
      for (const [index, value] of own.entries()) expect(scores[index]).toBeCloseTo(value, 4)
    }
    backbone.destroy()
  },
)

test('a prompt of several runs is read with weights of bytes, though its first run asks for no logits', async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder()), {
    ...TINY_CONFIG,
    max_position_embeddings: 128,
  })
  const form = 'uint8' as const
  const forms = { qkv: form, o: form, gateUp: form, down: form, edgeDown: form, head: form }
  const backbone = await OrtBackbone.create(ort, decoder, { forms })
  const ids = Array.from({ length: 80 }, (_, index) => (7 * index + 3) % backbone.shape.vocabulary)
  const answer: number[] = []
  const request = { ids, casting: null, sampling: GREEDY, maxTokens: 2, stopIds: [] }
  for await (const id of backbone.generate(request)) answer.push(id)
  expect(answer).toHaveLength(2)
  const isReply = ids.map((_, index) => index > 75)
  expect(await backbone.score(ids, isReply, null)).toHaveLength(4)
  backbone.destroy()
})
