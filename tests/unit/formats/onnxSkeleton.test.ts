import { isDeepStrictEqual } from 'node:util'

import { describe, expect, test } from 'vitest'

import type { ByteSource } from '../../../src/core/bytes.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { readOnnxSkeleton } from '../../../src/formats/onnxSkeleton.ts'
import type { OnnxContent } from '../../../src/formats/onnxTensor.ts'
import { Random } from '../../../src/core/random.ts'
import type { WrittenTensor } from '../../support/onnxWriter.ts'
import { bytesField, joinBytes, writeOnnx } from '../../support/onnxWriter.ts'
import { tinyDecoder } from '../../support/tinyDecoder.ts'

type External = Extract<OnnxContent, { kind: 'external' }>

const random = new Random(2200)
const LARGE = 3 * 2 ** 20
const large = Uint8Array.from({ length: LARGE }, () => random.nextBelow(256))

/** A model of three tensors: one of some megabytes, one as listed floats, one that is small. */
function model(): Uint8Array {
  const floats = Array.from({ length: 2 ** 15 }, (_, i) => Math.fround(i / 7))
  const tensors: readonly WrittenTensor[] = [
    { name: 'codes', dataType: 2, dims: [LARGE], bytes: large },
    { name: 'listed', dataType: 1, dims: [floats.length], floats },
    { name: 'small', dataType: 1, dims: [2], floats: [1, 2] },
  ]
  const plain = tinyDecoder()
  return writeOnnx({ ...plain, initializers: [...plain.initializers, ...tensors] })
}

/** What lies at a place in the model's own file. */
function placed(bytes: Uint8Array, { location, offset, sizeBytes }: External): OnnxContent {
  if (location !== 'm.onnx') throw new Error(`${location} is another file`)
  return { kind: 'bytes', bytes: bytes.subarray(offset, offset + sizeBytes) }
}

/** A source that adds up what is read of it. */
function counted(bytes: Uint8Array): { source: ByteSource; read: () => number } {
  const inner = memorySource('m.onnx', bytes)
  let sum = 0
  const source: ByteSource = {
    ...inner,
    read: (offset, length) => {
      sum += length
      return inner.read(offset, length)
    },
  }
  return { source, read: () => sum }
}

describe('a model without its weights', () => {
  test('is the same model, whose weights lie in its own file', async () => {
    const bytes = model()
    const whole = parseOnnx(bytes, 'm.onnx')
    const skeleton = parseOnnx(await readOnnxSkeleton(memorySource('m.onnx', bytes), 'm.onnx'), 'm.onnx')
    expect(skeleton.graph.nodes).toEqual(whole.graph.nodes)
    expect(skeleton.opsets).toEqual(whole.opsets)
    const contents: [string, OnnxContent][] = []
    for (const [name, tensor] of skeleton.graph.initializers) {
      const { content } = tensor
      const inside = content.kind === 'external' ? placed(bytes, content) : content
      contents.push([name, inside])
      expect(content.kind === 'external').toBe(['codes', 'listed'].includes(name))
      expect({ ...tensor, content: null }).toEqual({ ...whole.graph.initializers.get(name), content: null })
    }
    const expected = [...whole.graph.initializers].map(([name, { content }]) => [name, content])
    expect(isDeepStrictEqual(contents, expected)).toBe(true)
  })

  test('is read without reading them', async () => {
    const padded = writeOnnx({
      ...tinyDecoder(),
      initializers: Array.from({ length: 4 }, (_, i) => {
        return { name: `w${i}`, dataType: 2, dims: [4 * LARGE], bytes: new Uint8Array(4 * LARGE) }
      }),
    })
    const { source, read } = counted(padded)
    const skeleton = await readOnnxSkeleton(source, 'm.onnx')
    expect(skeleton.length).toBeLessThan(2 ** 17)
    expect(read()).toBeLessThan(padded.length / 4)
  })

  test.each([
    ['that ends within a field', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 5)],
    ['with data twice', () => writeTwice()],
    ['of noise', () => large.subarray(0, 5000)],
  ])('%s is read whole, for its reader to refuse', async (_, spoil) => {
    const bytes = spoil(model())
    const found = await readOnnxSkeleton(memorySource('m.onnx', bytes), 'm.onnx')
    expect(Buffer.compare(found, bytes)).toBe(0)
    expect(() => parseOnnx(found, 'm.onnx')).toThrow(/^m\.onnx /)
  })

  test('whose name no external data may have is read whole', async () => {
    const bytes = model()
    const found = await readOnnxSkeleton(memorySource('m.onnx', bytes), '.m.onnx')
    expect(Buffer.compare(found, bytes)).toBe(0)
  })
})

/** A tensor that says its bytes twice. */
function writeTwice(): Uint8Array {
  const data = bytesField(9, large)
  return joinBytes([bytesField(7, bytesField(5, joinBytes([data, data])))])
}
