import { describe, expect, test } from 'vitest'

import { fingerprint } from '../../../src/model/decoder/fingerprint.ts'
import { openDecoder } from '../../../src/model/graph/openBackbone.ts'
import type { WrittenModel } from '../../support/onnxWriter.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { asHalf, constant, memoryFolder, recogniseBytes, withTensor } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'

describe('a backbone folder', () => {
  const bytes = writeOnnx(tinyDecoder())
  const config = new TextEncoder().encode(JSON.stringify(TINY_CONFIG))
  const files = {
    'a.onnx': bytes,
    'b.onnx': bytes,
    'model.onnx': bytes,
    'onnx/model.onnx': bytes,
    'onnx/c.onnx': bytes,
  }

  test.each([
    [['a.onnx', 'onnx/model.onnx'], 'a.onnx'],
    [['a.onnx', 'b.onnx', 'onnx/model.onnx', 'onnx/c.onnx'], 'onnx/model.onnx'],
    [['a.onnx', 'b.onnx', 'onnx/c.onnx'], 'onnx/c.onnx'],
    [['a.onnx', 'b.onnx', 'model.onnx'], 'model.onnx'],
  ] as const)('of %s opens %s', async (listing, expected) => {
    const present = Object.fromEntries(listing.map((path) => [path, files[path]]))
    const { modelFile } = await openDecoder(memoryFolder({ ...present, 'config.json': config }), {
      listing,
    })
    expect(modelFile).toBe(expected)
  })

  test('without a listing tries the usual names, and says so', async () => {
    expect((await openDecoder(memoryFolder({ 'model.onnx': bytes }))).modelFile).toBe('model.onnx')
    await expect(openDecoder(memoryFolder({}))).rejects.toThrow(
      'the backbone has no onnx/model.onnx or model.onnx, expected an ONNX model',
    )
    await expect(openDecoder(memoryFolder({}), { model: 'x.onnx' })).rejects.toThrow(
      'the backbone has no x.onnx',
    )
  })

  test('has one fingerprint for weights of any precision', async () => {
    const tokenizer = { model: { vocab: { a: 0, c: 2 } }, added_tokens: [{ id: 1, content: 'b' }] }
    const of = async (model: WrittenModel): Promise<string> =>
      fingerprint(await recogniseBytes(writeOnnx(model), TINY_CONFIG), TINY_CONFIG, tokenizer)
    const plain = await of(tinyDecoder())
    expect(plain).toMatch(/^[0-9a-f]{64}$/)
    expect(await of(withTensor(tinyDecoder(), 'final_norm.gain', asHalf))).toBe(plain)
    expect(await of(withTensor(tinyDecoder(), 'head.weight', asHalf))).toBe(plain)
    expect(
      await of(
        withTensor(tinyDecoder(), 'final_norm.gain', () => constant('final_norm.gain', [TINY.hidden])),
      ),
    ).not.toBe(plain)
  })
})
