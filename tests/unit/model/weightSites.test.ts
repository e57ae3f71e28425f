import { describe, expect, test } from 'vitest'

import { readMatrix, readVector } from '../../../src/model/decoder/dequantise.ts'
import { nmse } from '../../support/compare.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { asUpperHalf, change, recogniseBytes, withTensor, withTensors } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

describe('a decoder', () => {
  test('reads weights from folders below it', async () => {
    const plain = tinyDecoder()
    const weight = plain.initializers.find(({ name }) => name === 'head.weight')!
    const same = await recogniseBytes(writeOnnx(plain), TINY_CONFIG)
    for (const location of ['parts/a b/head.bin', './parts/a b/head.bin']) {
      const placed = withTensor(plain, 'head.weight', ({ name, dataType, dims }) => {
        return { name, dataType, dims, external: { location } }
      })
      const files = { 'parts/a b/head.bin': weight.bytes! }
      const decoder = await recogniseBytes(writeOnnx(placed), TINY_CONFIG, files)
      expect(await readMatrix(decoder.head)).toEqual(await readMatrix(same.head))
    }
  })

  test('shares a tied matrix of bytes, gathered before it is dequantised or after', async () => {
    for (const embedding of ['gatheredCodes', 'dequantised'] as const) {
      const decoder = await recogniseBytes(writeOnnx(tinyDecoder({ embedding })))
      expect(decoder.embedding.stored).toBe(decoder.head.stored)
      expect(decoder.head.stored.kind).toBe('blocks')
    }
  })

  test('may hold its weights and gains as upper halves of float32', async () => {
    const plain = tinyDecoder()
    const names = ['head.weight', 'embedding', 'layers.0.qkv.weight', 'final_norm.gain']
    const cut = names.reduce((model, name) => withTensor(model, name, asUpperHalf), plain)
    const decoder = await recogniseBytes(writeOnnx(cut), TINY_CONFIG)
    expect(decoder.head.stored).toMatchObject({ values: { dataType: 'bf16' } })
    const exact = await recogniseBytes(writeOnnx(plain), TINY_CONFIG)
    const [found, wanted] = [await readMatrix(decoder.head), await readMatrix(exact.head)]
    const errors = found.map((value, i) => Math.abs(value / wanted[i]! - 1))
    expect(Math.max(...errors)).toBeLessThan(1 / 128)
    expect(nmse(await readVector(decoder.finalNorm), await readVector(exact.finalNorm))).toBeLessThan(1e-4)
  })
})

describe('is refused by naming a node:', () => {
  test.each([
    [
      'blocks that a list of their own orders',
      withTensors(
        change(tinyDecoder({ linear: 'blocks4' }), 'layers.0.o.y', (node) => ({
          inputs: [...node.inputs, '', 'order'],
        })),
        { name: 'order', dataType: 6, dims: [64], integers: Array.from({ length: 64 }, (_, k) => k % 4) },
      ),
      '"node_layers.0.o.y" (com.microsoft.MatMulNBits) orders its blocks by g_idx, expected them along the row',
    ],
    [
      'scales that lie across the rows',
      change(
        tinyDecoder({ linear: 'dequantised', scales: 'blocks', codes: 'int8', turned: true }),
        'layers.0.o.weight',
        (node) => ({ opType: 'Identity', inputs: node.inputs, attributes: {} }),
      ),
      '"node_layers.0.o.y" (MatMul)',
    ],
    [
      'scales that do not fit the codes',
      withTensor(tinyDecoder({ linear: 'dequantised' }), 'layers.0.o.scales', (tensor) => {
        return { ...tensor, dims: [31], bytes: tensor.bytes!.subarray(4) }
      }),
      '"node_layers.0.o.y" (MatMul)',
    ],
    [
      'rows rounded for another layer',
      change(tinyDecoder({ linear: 'rounded' }), 'layers.0.o.integers', (node) => ({
        inputs: [node.inputs[0]!, node.inputs[1]!, 'layers.0.qkv.rounded.zero'],
      })),
      '"node_layers.0.o.integers" (MatMulInteger)',
    ],
  ])('%s', async (_, model, node) => {
    await expect(recogniseBytes(writeOnnx(model))).rejects.toMatchObject({
      code: 'format-unsupported',
      message: expect.stringContaining(node),
    })
  })
})
