import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'

import { unrounded } from '../../../src/fallback/unrounded.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { writeOnnx as writeModel } from '../../../src/formats/onnxWriter.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { CHATGLM, GEMMA, TINY_CONFIG, tinyConfig, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

const ids = [3, 39, 17, 0, 22, 22, 8]

function integers(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length])
}

async function runtimeLogits(
  bytes: Uint8Array,
  graphOptimizationLevel: 'disabled' | 'all' = 'disabled',
): Promise<Float32Array> {
  const session = await InferenceSession.create(bytes, {
    graphOptimizationLevel,
    logSeverityLevel: 3,
    // Else, where it optimises, sums of products of bytes are cut off on processors that add two of them in 16 bits.
    extra: { session: { x64quantprecision: '1' } },
  })
  const feeds: Record<string, Tensor> = {}
  for (const name of session.inputNames) {
    if (name === 'input_ids') feeds[name] = integers(ids)
    else if (name === 'position_ids') feeds[name] = integers(ids.map((_, position) => position))
    else if (name === 'attention_mask') feeds[name] = integers(ids.map(() => 1))
    else feeds[name] = new Tensor('float32', new Float32Array(0), [1, TINY.kvHeads, 0, TINY.headDim])
  }
  const { logits } = await session.run(feeds)
  return logits!.data as Float32Array
}

describe('each way of writing a decoder gives ONNX Runtime’s logits', () => {
  const variants: readonly TinyOptions[] = [
    {},
    { qkv: 'separate', bias: 'last', embedding: 'tied' },
    { bias: 'first', norm: 'reciprocal', activation: 'quickGelu' },
    { norm: 'division', linear: 'gemm', bias: 'last' },
    { norm: 'standard', attention: 'written', bias: 'first' },
    { attention: 'written', qkv: 'separate', linear: 'gemm', norm: 'division' },
    { linear: 'blocks4', bias: 'last' },
    { linear: 'blocks4', zeros: 'packed' },
    { linear: 'blocks4', zeros: 'floats', qkv: 'separate' },
    { linear: 'blocks8', attention: 'written' },
    { linear: 'blocks8', zeros: 'packed' },
    { linear: 'blocks4', blockSize: 64, zeros: 'packed', qkv: 'separate' },
    { linear: 'blocks2', zeros: 'packed' },
    { linear: 'blocks2', blockSize: 32 },
    { linear: 'normalLevels', bias: 'last' },
    { linear: 'floatLevels', blockSize: 64 },
    { linear: 'normalLevels', blockSize: 256, qkv: 'separate' },
    { linear: 'dequantised', scales: 'one', zeros: 'packed', embedding: 'dequantised' },
    { linear: 'dequantised', bias: 'first', embedding: 'gatheredCodes' },
    { linear: 'dequantised', codes: 'int8', turned: true, qkv: 'separate', zeros: 'packed' },
    { linear: 'dequantised', codes: 'int8', scales: 'blocks' },
    { linear: 'dequantised', codes: 'int4', scales: 'blocks', blockSize: 32 },
    { linear: 'dequantised', codes: 'uint4', scales: 'blocks', zeros: 'packed' },
    {
      linear: 'dequantised',
      codes: 'int4',
      scales: 'blocks',
      zeros: 'packed',
      turned: true,
      qkv: 'separate',
    },
    { linear: 'dequantised', codes: 'uint4', scales: 'columns', turned: true },
    { linear: 'dequantised', codes: 'uint8', scales: 'blocks', turned: true, zeros: 'packed' },
    { embedding: 'int4' },
    { embedding: 'uint4' },
    { embedding: 'uint8' },
    { headNorms: 'each', bias: 'last' },
    { headNorms: 'each', attention: 'written', norm: 'division' },
    { headNorms: 'all', qkv: 'separate' },
    { headNorms: 'all', attention: 'written', norm: 'standard' },
    { multipliers: 'all' },
    { multipliers: 'all', attention: 'written', embedding: 'tied', linear: 'gemm' },
    { norms: 'behind', headNorms: 'all' },
    { norms: 'behind', attention: 'written', norm: 'division', bias: 'last' },
    { norms: 'both', headNorms: 'each' },
    { rotated: 'first' },
    { rotated: 'first', attention: 'written', bias: 'last' },
    { isInterleaved: true },
    { rotaryDim: 12, attention: 'written' },
    { rotaryDim: 8, attention: 'written', headNorms: 'each' },
    { activation: 'gelu', bias: 'last' },
    { activation: 'fastGelu', linear: 'blocks4' },
    { activation: 'geluOfProducts' },
    { activation: 'geluOfPowers', bias: 'first' },
    { hasRaisedGains: true, norm: 'division', headNorms: 'each', attention: 'written' },
    { ...GEMMA, attention: 'written', hasRaisedGains: true, norm: 'reciprocal' },
    { ...GEMMA, activation: 'fastGelu' },
    { attention: 'standard', norm: 'standard', bias: 'last' },
    { attention: 'standard', isInterleaved: true, headNorms: 'each' },
    { attention: 'standard', isInterleaved: true, rotaryDim: 8 },
    { ...GEMMA, attention: 'standard', activation: 'gelu', norm: 'standard' },
    { isOfOneText: true, attention: 'written', bias: 'last' },
    { windowed: 'all' },
    { windowed: 'first', hasLocalTheta: true },
    { windowed: 'all', attention: 'written' },
    { isInterleaved: true, attention: 'written' },
    { isInterleaved: true, attention: 'written', rotaryDim: 8, headNorms: 'each' },
    { isInterleaved: true, attention: 'written', neighbours: 'pairs' },
    CHATGLM,
    { windowed: 'first', hasLocalTheta: true, attention: 'written', masks: 'hidden' },
  ]
  test.each(variants.map((options) => [JSON.stringify(options), options] as const))(
    '%s',
    async (_, options) => {
      const bytes = writeOnnx(tinyDecoder(options))
      const decoder = await recogniseBytes(bytes, tinyConfig(options))
      const { logits } = referenceForward(await loadReference(decoder), ids)
      expect(nmse(logits, await runtimeLogits(bytes))).toBeLessThan(1e-9)
    },
  )

  // ONNX Runtime's operator for the processor has no norms inside.
  test('norms of heads inside of the attention operator are those before it', async () => {
    const [inside, before] = await Promise.all(
      (['inside', 'each'] as const).map(async (headNorms) => {
        const bytes = writeOnnx(tinyDecoder({ headNorms, bias: 'last' }))
        return referenceForward(await loadReference(await recogniseBytes(bytes, TINY_CONFIG)), ids).logits
      }),
    )
    expect(inside).toEqual(before)
  })

  const rounding: readonly TinyOptions[] = [
    { linear: 'rounded', codes: 'int8', bias: 'last' },
    { linear: 'rounded', codes: 'int8', scales: 'one', zeros: 'packed', embedding: 'gatheredCodes' },
    { linear: 'rounded', zeros: 'packed', qkv: 'separate' },
    { linear: 'roundedInOne', codes: 'int8', scales: 'columns', zeros: 'packed' },
    { linear: 'roundedInOne', zeros: 'packed', bias: 'last' },
    { linear: 'roundedToFloat', zeros: 'packed', bias: 'last' },
    { linear: 'roundedToFloat', codes: 'int8', scales: 'one' },
  ]
  test.each(rounding.map((options) => [JSON.stringify(options), options] as const))(
    '%s, but for its rounding of what comes in',
    async (_, options) => {
      const bytes = writeOnnx(tinyDecoder(options))
      const decoder = await recogniseBytes(bytes, TINY_CONFIG)
      const { logits } = referenceForward(await loadReference(decoder), ids)
      expect(nmse(logits, await runtimeLogits(bytes, 'all'))).toBeLessThan(1e-3)
      const exact = writeModel(unrounded(parseOnnx(bytes, 'tiny.onnx'))!)
      expect(nmse(logits, await runtimeLogits(exact))).toBeLessThan(1e-9)
    },
  )

  test('but for the level at which blocks are multiplied', async () => {
    const blocks = tinyDecoder({ linear: 'blocks4', blockSize: 32 })
    const coarse = {
      ...blocks,
      nodes: blocks.nodes.map((node) =>
        node.opType === 'MatMulNBits'
          ? { ...node, attributes: { ...node.attributes, accuracy_level: { int: 4 } } }
          : node,
      ),
    }
    const bytes = writeOnnx(coarse)
    const { logits } = referenceForward(await loadReference(await recogniseBytes(bytes, TINY_CONFIG)), ids)
    expect(nmse(logits, await runtimeLogits(bytes))).toBeGreaterThan(1e-7)
    const exact = writeModel(unrounded(parseOnnx(bytes, 'tiny.onnx'))!)
    expect(nmse(logits, await runtimeLogits(exact))).toBeLessThan(1e-9)
  })

  test('and one that rounds nothing is left as it is', () => {
    for (const linear of ['matMul', 'dequantised', 'blocks4'] as const)
      expect(unrounded(parseOnnx(writeOnnx(tinyDecoder({ linear })), 'tiny.onnx'))).toBeNull()
  })
})
