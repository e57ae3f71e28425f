import { expect, test } from 'vitest'

import { fingerprint } from '../../../src/model/decoder/fingerprint.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes, withTensor } from '../../support/tinyBackbone.ts'
import { GEMMA, GEMMA_CONFIG, TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'

const tokenizer = { model: { vocab: { a: 0, b: 1 } } }
const model = tinyDecoder({ headNorms: 'inside', norms: 'both' })

async function of(written: typeof model): Promise<string> {
  return fingerprint(await recogniseBytes(writeOnnx(written), TINY_CONFIG), TINY_CONFIG, tokenizer)
}

test.each([
  ['input_norm', TINY.hidden],
  ['post_norm', TINY.hidden],
  ['attention_norm', TINY.hidden],
  ['mlp_norm', TINY.hidden],
  ['q_norm', TINY.headDim],
  ['k_norm', TINY.headDim],
])('the gains of %s alone tell backbones apart', async (norm, columns) => {
  const other = withTensor(model, `layers.1.${norm}.gain`, ({ name, dataType, dims }) => {
    return { name, dataType, dims, floats: Array.from({ length: columns }, () => 0.5) }
  })
  expect(await of(model)).toMatch(/^[0-9a-f]{64}$/)
  expect(await of(other)).not.toBe(await of(model))
})

test('windows, their rotation and multipliers tell backbones apart, where a family has them', async () => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder(GEMMA)), GEMMA_CONFIG)
  const mark = await fingerprint(decoder, GEMMA_CONFIG, tokenizer)
  const { embedding } = decoder.multipliers
  const others = [
    fingerprint(decoder, { ...GEMMA_CONFIG, sliding_window: 6 }, tokenizer),
    fingerprint(decoder, { ...GEMMA_CONFIG, rope_local_base_freq: 200 }, tokenizer),
    fingerprint({ ...decoder, scoreScale: 0.3 }, GEMMA_CONFIG, tokenizer),
    fingerprint(
      { ...decoder, multipliers: { ...decoder.multipliers, embedding: 3 } },
      GEMMA_CONFIG,
      tokenizer,
    ),
  ]
  expect(new Set([mark, ...(await Promise.all(others))]).size).toBe(5)
  // The root of the width as halves have it is the same multiplier.
  const rounded = { ...decoder, multipliers: { ...decoder.multipliers, embedding: embedding * 1.0003 } }
  expect(await fingerprint(rounded, GEMMA_CONFIG, tokenizer)).toBe(mark)
})
