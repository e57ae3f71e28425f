import { expect, test } from 'vitest'

import { precisionText, variantsOf } from '../../../src/hub/variants.ts'

const listed = (paths: Readonly<Record<string, number>>) =>
  Object.entries(paths).map(([path, bytes]) => ({ path, bytes }))
const text = { 'config.json': 1, 'tokenizer.json': 2, 'tokenizer_config.json': 3 }

test('forms in one folder, each with its own weights, the smallest first', () => {
  const variants = variantsOf(
    listed({
      ...text,
      'README.md': 9,
      'onnx/model.onnx': 10,
      'onnx/model.onnx_data': 1000,
      'onnx/model.onnx_data_1': 500,
      'onnx/model_q4f16.onnx': 20,
      'onnx/model_q4f16.onnx_data': 200,
      'onnx/model_fp16.onnx': 700,
    }),
  )
  expect(variants.map(({ label, bytes, model }) => [label, bytes, model])).toEqual([
    ['q4f16', 226, 'onnx/model_q4f16.onnx'],
    ['fp16', 706, 'onnx/model_fp16.onnx'],
    ['fp32', 1516, 'onnx/model.onnx'],
  ])
  expect(variants[2]!.files.map(({ path }) => path)).toEqual([
    ...Object.keys(text),
    'onnx/model.onnx',
    'onnx/model.onnx_data',
    'onnx/model.onnx_data_1',
  ])
})

test('a folder of its own, as the generators for onnxruntime write it', () => {
  const folder = 'cpu_and_mobile/cpu-int4-rtn-block-32'
  const [variant, ...others] = variantsOf(
    listed({
      'config.json': 1,
      [`${folder}/config.json`]: 1,
      [`${folder}/genai_config.json`]: 1,
      [`${folder}/tokenizer.json`]: 2,
      [`${folder}/model.onnx`]: 10,
      [`${folder}/model.onnx.data`]: 100,
    }),
  )
  expect(others).toEqual([])
  expect(variant).toMatchObject({ label: 'cpu-int4-rtn-block-32', root: `${folder}/`, model: 'model.onnx' })
  expect(variant!.bytes).toBe(114)
})

test('the weights of the only model of a folder may be called anything', () => {
  const [variant] = variantsOf(listed({ ...text, 'model.onnx': 10, 'weights.bin': 100, 'notes.txt': 7 }))
  expect(variant).toMatchObject({ label: 'fp32', root: '', bytes: 116 })
})

test('what sees, hears or embeds is no model to talk to', () => {
  const variants = variantsOf(
    listed({
      ...text,
      'onnx/vision_encoder.onnx': 5,
      'onnx/embed_tokens_q4.onnx': 5,
      'onnx/decoder_model_merged_q4.onnx': 10,
    }),
  )
  expect(variants.map(({ label }) => label)).toEqual(['q4'])
})

test('what is missing is named', () => {
  expect(variantsOf(listed({ 'model.onnx': 1 }))[0]!.missing).toEqual(['config.json', 'tokenizer.json'])
  expect(variantsOf(listed({ 'model.safetensors': 1 }))).toEqual([])
})

test('labels in words', () => {
  const words = ['q4f16', 'bnb4', 'int8', 'quantized', 'fp16', 'fp32', 'cpu-int4-rtn-block-32', 'odd']
  expect(words.map(precisionText)).toEqual([
    '4 bits, computed in halves',
    '4 bits',
    '8 bits',
    '8 bits',
    '16 bits',
    '32 bits',
    '4 bits',
    '',
  ])
})
