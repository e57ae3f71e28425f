import { expect, test } from 'vitest'

import type { Decoder, Linear, WeightMatrix } from '../../../src/model/decoder/decoder.ts'
import { PROJECTIONS } from '../../../src/model/decoder/decoder.ts'
import { readMatrix } from '../../../src/model/decoder/dequantise.ts'
import { testGpu } from '../../support/device.ts'
import { floatMatrix } from '../../support/floatMatrix.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'
import { tinyRun } from '../../support/tinyRun.ts'

/** The numbers that a matrix stands for, as float32. */
async function inFloats(matrix: WeightMatrix): Promise<WeightMatrix> {
  return floatMatrix(Float32Array.from(await readMatrix(matrix)), matrix)
}

async function ofFloats(decoder: Decoder): Promise<Decoder> {
  const blocks = []
  for (const block of decoder.blocks) {
    const linears: Record<string, Linear> = {}
    for (const name of PROJECTIONS) {
      const { weight, bias } = block.linears[name]
      linears[name] = { bias, weight: await inFloats(weight) }
    }
    blocks.push({ ...block, linears: linears as typeof block.linears })
  }
  return {
    ...decoder,
    blocks,
    embedding: await inFloats(decoder.embedding),
    head: await inFloats(decoder.head),
  }
}

/** Loss and norm of the gradients of every step. */
async function stepsOf(decoder: Decoder): Promise<readonly { loss: number; norm: number }[]> {
  const steps = []
  for await (const event of await tinyRun(await testGpu(), decoder)) {
    if (event.kind === 'step') steps.push({ loss: event.crossEntropy, norm: event.gradientNorm })
  }
  return steps
}

test.each<TinyOptions>([
  { linear: 'blocks2', zeros: 'packed' },
  { linear: 'blocks8', zeros: 'floats', embedding: 'uint8' },
  { linear: 'normalLevels', blockSize: 64, embedding: 'int4' },
  { linear: 'dequantised', codes: 'int4', scales: 'blocks', zeros: 'packed', embedding: 'gatheredCodes' },
  { linear: 'dequantised', codes: 'uint8', scales: 'columns', zeros: 'packed', embedding: 'dequantised' },
  { linear: 'rounded', codes: 'int8' },
])('training over weights as in %o goes as over the same numbers in floats', async (options) => {
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder(options)), TINY_CONFIG)
  const own = await stepsOf(decoder)
  const floats = await stepsOf(await ofFloats(decoder))
  expect(own).toHaveLength(8)
  for (const [at, { loss, norm }] of own.entries()) {
    expect(Math.abs(loss - floats[at]!.loss)).toBeLessThan(1e-4 * floats[at]!.loss)
    expect(Math.abs(norm - floats[at]!.norm)).toBeLessThan(1e-3 * floats[at]!.norm)
  }
  expect(own[0]!.norm).toBeGreaterThan(0)
  expect(own.at(-1)!.loss).toBeLessThan(own[0]!.loss)
})
