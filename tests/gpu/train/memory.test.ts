import { expect, test } from 'vitest'

import { watchBuffers } from '../../../src/cli/bench/bufferBytes.ts'
import { folder } from '../../../src/cli/files.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { loadWeights } from '../../../src/model/gpu/gpuWeights.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'
import { trainingBytes, trainingNeeds } from '../../../src/train/run/memory.ts'
import { beginTraining } from '../../../src/train/parameters/trainee.ts'
import { Trainer } from '../../../src/train/run/trainer.ts'
import { KEPT_BYTES, blockSizeOf } from '../../../src/train/gradients/trainingBuffers.ts'
import { tryStep } from '../../../src/train/run/trial.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const ROLES = ['Ada', 'Bo', 'Cy', 'Di', 'Ed']

/** The peak of what a trainer allocates beside the weights, and its formula. */
async function measure(
  decoder: Decoder,
  settings: Record<string, unknown>,
  limits: { rows: number; tokens: number },
): Promise<{ peak: number; formula: number; weights: number }> {
  const gpu = await testGpu()
  const { device } = gpu
  const total = watchBuffers(device)
  const weights = await loadWeights(device, decoder, () => undefined)
  const weightBytes = total.peak
  const config = readTrainConfig(settings)
  const trainee = beginTraining(config, decoder, ROLES, null)
  const needs = trainingNeeds(decoder, trainee, config, limits)
  const trainer = await Trainer.create(gpu, decoder, weights, trainee, { config, limits })
  trainer.destroy()
  const formula = trainingBytes(decoder, needs, blockSizeOf(weights), KEPT_BYTES)
  return { peak: total.peak - weightBytes, formula, weights: weightBytes }
}

test.each([
  { sources: { A: 'hyper', B: 'shared' } },
  { sources: { A: 'hyper+static', B: 'hyper' } },
  { sources: { A: 'shared', B: 'shared' }, contrast: { form: 'off' } },
  { sources: { A: 'table', B: 'table' }, contrast: { form: 'off' } },
])('training takes what the formula says: %o', async (settings) => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder({})), TINY_CONFIG)
  const { peak, formula } = await measure(decoder, settings, { rows: 4, tokens: 64 })
  expect(peak / formula).toBeGreaterThan(0.95)
  expect(peak / formula).toBeLessThan(1.25)
})

test('SmolLM2 at 4 dialogues of 256 tokens stays under 1.5 GB with its weights', async () => {
  const root = folder('public/models/smollm2-135m-instruct')
  const { decoder } = await openChatModel(root, { model: 'onnx/model_q4f16.onnx' })
  const { peak, formula, weights } = await measure(decoder, {}, { rows: 4, tokens: 256 })
  expect(peak / formula).toBeGreaterThan(0.95)
  expect(peak / formula).toBeLessThan(1.25)
  expect(peak + weights).toBeLessThan(1.5e9)
})

test('a short step tells what a token takes', async () => {
  const gpu = await testGpu()
  const { device } = gpu
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder({})), TINY_CONFIG)
  const weights = await loadWeights(device, decoder, () => undefined)
  const config = readTrainConfig({ mode: 'all' })
  const trainee = beginTraining(config, decoder, ROLES, null)
  const { fixed, perToken } = await tryStep({ gpu, decoder, weights, trainee, config })
  expect(fixed).toBeGreaterThanOrEqual(0)
  expect(fixed + perToken).toBeGreaterThan(0)
})
