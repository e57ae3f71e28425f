import { expect, test } from 'vitest'

import { contextOf, graphicsNeeds } from '../../../src/core/graphicsMemory.ts'
import { bestVariant, fitOf, graphicsBytes, readModelFacts, weightsOf } from '../../../src/hub/modelFit.ts'
import type { DeviceRoom } from '../../../src/hub/modelFit.ts'
import { variantsOf } from '../../../src/hub/variants.ts'

const GIB = 2 ** 30
const config = {
  model_type: 'qwen2',
  num_hidden_layers: 28,
  hidden_size: 1536,
  num_attention_heads: 12,
  num_key_value_heads: 2,
  intermediate_size: 8960,
  vocab_size: 151_936,
  max_position_embeddings: 32_768,
}
const facts = readModelFacts(config)!
const variants = variantsOf(
  [
    ['config.json', 700],
    ['tokenizer.json', 11_000_000],
    ['onnx/model.onnx', 200_000],
    ['onnx/model.onnx_data', 6.2 * GIB],
    ['onnx/model_fp16.onnx', 300_000],
    ['onnx/model_fp16.onnx_data', 3.1 * GIB],
    ['onnx/model_int8.onnx', 1.6 * GIB],
    ['onnx/model_q4f16.onnx', 1.15 * GIB],
  ].map(([path, bytes]) => ({ path: String(path), bytes: Number(bytes) })),
)
const labels = variants.map(({ label }) => label)
const room = (graphics: number | null, memory = 2 * GIB): DeviceRoom => ({
  graphics,
  maxBuffer: 2 * GIB,
  memory,
})
const fitsOf = (place: DeviceRoom) => variants.map((variant) => fitOf(variant, facts, place))
const boundBy = (mib: number) => fitsOf({ ...room(16 * GIB, 4 * GIB), maxBuffer: mib * 2 ** 20 })
const best = (place: DeviceRoom): string => labels[bestVariant(variants, fitsOf(place))]!

test('a config.json tells the sizes, as far as it has them', () => {
  expect(facts).toMatchObject({ family: 'qwen2', shape: { kvHeads: 2, headDim: 128, layers: 28 } })
  const { num_key_value_heads: _, ...older } = config
  expect(readModelFacts(older)!.shape.kvHeads).toBe(12)
  for (const other of [null, [], {}, { ...config, vocab_size: 'many' }, { ...config, hidden_size: -1 }]) {
    expect(readModelFacts(other)).toBeNull()
  }
})

test('what a model takes is weights, keys and values of two sequences, and a pass', () => {
  expect(labels).toEqual(['q4f16', 'int8', 'fp16', 'fp32'])
  expect(weightsOf(variants[2]!)).toBe(3.1 * GIB + 300_000)
  // 512 MiB hold so many positions of 28 layers in two sequences.
  expect(contextOf(facts.shape, 2 * GIB)).toBe(9362)
  const needs = graphicsNeeds(facts.shape, 0, 2 * GIB)
  expect(needs).toBeGreaterThan(512 * 2 ** 20)
  expect(needs).toBeLessThan(560 * 2 ** 20)
  expect(contextOf(facts.shape, 2 ** 20)).toBe(512)
})

test('the graphics card, with and without ease, else the processor, else nothing', () => {
  expect(fitsOf(room(16 * GIB, 4 * GIB))).toEqual(['fits', 'fits', 'fits', 'fits'])
  expect(fitsOf(room(4 * GIB))).toEqual(['fits', 'fits', 'tight', 'too-large'])
  expect(fitsOf(room(2 * GIB, 4 * GIB))).toEqual(['tight', 'processor', 'processor', 'too-large'])
  expect(fitsOf(room(null, GIB))).toEqual(['too-large', 'too-large', 'too-large', 'too-large'])
})

test('a matrix of a layer that no buffer holds keeps a model from the card, however much it gives', () => {
  // As every device allows: gate and up have 105 MiB in 32 bits, the embedding 890.
  expect(boundBy(128)).toEqual(['fits', 'fits', 'fits', 'fits'])
  expect(boundBy(40)).toEqual(['fits', 'fits', 'processor', 'too-large'])
})

test('other families are for the processor', () => {
  const gemma = { ...facts, family: 'gemma2' }
  expect(graphicsBytes(variants[0]!, gemma, GIB)).toBeNull()
  expect(fitOf(variants[0]!, gemma, room(16 * GIB, 4 * GIB))).toBe('processor')
})

test('the best form is the most exact that fits, and no larger than 16 bits', () => {
  expect(best(room(16 * GIB, 4 * GIB))).toBe('fp16')
  expect(best(room(4 * GIB))).toBe('int8')
  expect(best(room(null, 4 * GIB))).toBe('fp16')
  expect(best(room(null, GIB))).toBe('fp16')
})
