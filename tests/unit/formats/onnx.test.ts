import { describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { readNumbers } from '../../../src/formats/onnxTensor.ts'
import {
  bytesField,
  integerField,
  joinBytes,
  textField,
  varint,
  writeOnnx,
} from '../../support/onnxWriter.ts'
import type { WrittenModel, WrittenTensor } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

const empty: WrittenModel = { opset: 21, nodes: [], initializers: [], inputs: [], outputs: [] }
const withTensor = (tensor: Partial<WrittenTensor>): Uint8Array =>
  writeOnnx({ ...empty, initializers: [{ name: 'w', dataType: 1, dims: [2], ...tensor }] })
const firstTensor = (bytes: Uint8Array) => [...parseOnnx(bytes, 'm.onnx').graph.initializers.values()][0]!

const numbers = (tensor: Partial<WrittenTensor>) => readNumbers(firstTensor(withTensor(tensor)))
const graphWith = (part: Uint8Array | readonly number[]): Uint8Array => joinBytes([bytesField(7, part)])

/** A graph in an attribute of a node of a graph, and so on. */
function nested(depth: number): Uint8Array {
  let graph: Uint8Array = joinBytes([textField(2, 'leaf')])
  for (let level = 0; level < depth; level++) {
    const attribute = joinBytes([textField(1, 'body'), bytesField(6, graph), integerField(20, 5)])
    graph = joinBytes([bytesField(1, bytesField(5, attribute))])
  }
  return graphWith(graph)
}

describe('reading', () => {
  test('names, shapes, attributes and opsets', () => {
    const { graph, opsets, producer, irVersion } = parseOnnx(writeOnnx(tinyDecoder()), 'tiny.onnx')
    expect([producer, irVersion, ...opsets]).toEqual(['tests', 10, ['', 23], ['com.microsoft', 1]])
    expect(graph.inputs[0]).toEqual({
      name: 'input_ids',
      dataType: 7,
      dims: ['batch_size', 'sequence_length'],
    })
    expect(graph.outputs[0]).toEqual({
      name: 'logits',
      dataType: 1,
      dims: ['batch_size', 'sequence_length', 40],
    })
    const attention = graph.nodes.find(({ opType }) => opType === 'GroupQueryAttention')!
    expect(attention.domain).toBe('com.microsoft')
    expect(attention.inputs.slice(0, 3)).toEqual(['layers.0.qkv.y', '', ''])
    expect(attention.attributes.get('num_heads')).toEqual({ kind: 'int', value: 4 })
  })

  test('raw bytes and packed floats are views of the file', () => {
    const values = Float32Array.of(1.5, -2)
    for (const tensor of [{ bytes: new Uint8Array(values.buffer) }, { floats: [1.5, -2] }]) {
      const bytes = withTensor(tensor)
      const { content } = firstTensor(bytes)
      if (content.kind !== 'bytes') throw new Error('expected bytes')
      expect(content.bytes.buffer).toBe(bytes.buffer)
      expect([...new Float32Array(content.bytes.slice().buffer)]).toEqual([1.5, -2])
    }
  })

  test('small constants of every plain type', () => {
    const int64 = new Uint8Array(BigInt64Array.of(-1n, 2n ** 63n - 1n).buffer)
    expect(numbers({ dataType: 7, bytes: int64 })).toEqual({ values: [-1, 2 ** 63], isInteger: true })
    expect(numbers({ dataType: 6, integers: [-7, 7] })).toEqual({ values: [-7, 7], isInteger: true })
    expect(numbers({ dataType: 10, integers: [0x3c00, 0xc000] })).toEqual({
      values: [1, -2],
      isInteger: false,
    })
    expect(numbers({ dataType: 10, bytes: Uint8Array.of(0, 0x3c, 0, 0xc0) })?.values).toEqual([1, -2])
    expect(numbers({ external: { location: 'm.data' } })).toBeUndefined()
  })

  test('external data', () => {
    const external = { location: 'm.onnx_data', offset: '4096', length: '8', checksum: 'x' }
    expect(firstTensor(withTensor({ external })).content).toEqual({
      kind: 'external',
      location: 'm.onnx_data',
      offset: 4096,
      sizeBytes: 8,
    })
  })
})

describe('faults', () => {
  const eight = new Uint8Array(8)
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'has no graph, expected an ONNX model'],
    ['another format', new TextEncoder().encode('{"weights": []}'), 'm.onnx'],
    ['field 0', Uint8Array.of(0, 0), 'has field number 0'],
    ['a group', Uint8Array.of(0x3b, 0), 'has wire type 3'],
    [
      'a length beyond the parent',
      joinBytes([[0x3a], varint(2 ** 40)]),
      'needs 1099511627776 bytes where 0 are left',
    ],
    [
      'a length of ten bytes',
      joinBytes([[0x3a], Array.from({ length: 9 }, () => 255), [1]]),
      'bytes where 0 are left',
    ],
    ['an endless number', joinBytes([[8], Array.from({ length: 11 }, () => 255)]), 'more than 10 bytes'],
    ['a number cut short', Uint8Array.of(8, 255), 'ends inside a number'],
    ['text that is none', graphWith(bytesField(2, [0xff, 0xfe])), 'not UTF-8'],
    ['two graphs', joinBytes([bytesField(7, []), bytesField(7, [])]), 'two graphs'],
    ['graphs in graphs', nested(6), 'nested deeper than 16 messages'],
    ['too few bytes', withTensor({ bytes: eight, dims: [3] }), 'has 8 bytes for w, expected 12 for [3]'],
    ['a shape of 2⁸⁰ bytes', withTensor({ bytes: eight, dims: [2 ** 39, 2 ** 39] }), 'too large'],
    ['a negative dimension', withTensor({ bytes: eight, dims: [-2] }), 'gives w the dimension -2'],
    ['an unknown type', withTensor({ bytes: eight, dataType: 99 }), 'gives w the data type 99'],
    ['no data', withTensor({}), 'lists 0 numbers for w, expected 2'],
    ['data twice', withTensor({ bytes: eight, floats: [1, 2] }), 'has the data of w twice'],
    [
      'an initializer twice',
      writeOnnx({
        ...empty,
        initializers: [1, 2].map(() => ({ name: 'w', dataType: 1, dims: [2], bytes: eight })),
      }),
      'has the initializer w twice',
    ],
    [
      'an unknown external key',
      withTensor({ external: { location: 'a', basepath: '/' } }),
      'unknown external data key "basepath"',
    ],
    [
      'a negative offset',
      withTensor({ external: { location: 'a', offset: '-8' } }),
      'the external offset "-8"',
    ],
    [
      'an offset beyond 2⁵³',
      withTensor({ external: { location: 'a', offset: '9999999999999999' } }),
      'external offset',
    ],
    [
      'another length',
      withTensor({ external: { location: 'a', length: '12' } }),
      'places 12 bytes of w in a, expected 8',
    ],
    ...[
      '',
      '../secret',
      '/etc/passwd',
      'a/../b',
      'a//b',
      'a/',
      'a/.b',
      'a/../../b',
      'a\\b',
      'C:a',
      '%2e%2e',
      '.hidden',
      'a..b',
    ].map((location): [string, Uint8Array, string] => [
      `the location "${location}"`,
      withTensor({ external: { location } }),
      'expected a file beside it or in a folder below',
    ]),
  ])('%s', (_, bytes, message) => {
    const parse = (): unknown => parseOnnx(bytes, 'm.onnx')
    expect(parse).toThrow(HycoraError)
    expect(parse).toThrow(message)
    expect(parse).toThrow(/^m\.onnx /)
  })

  test('a location given twice', () => {
    const pair = bytesField(13, joinBytes([textField(1, 'location'), textField(2, 'a')]))
    const tensor = joinBytes([
      integerField(1, 2),
      integerField(2, 1),
      textField(8, 'w'),
      pair,
      pair,
      integerField(14, 1),
    ])
    expect(() => parseOnnx(graphWith(bytesField(5, tensor)), 'm.onnx')).toThrow(
      'has the key "location" twice',
    )
  })

  test('more nodes than any decoder has', () => {
    const node = joinBytes([bytesField(1, [])])
    const nodes = new Uint8Array(node.length * 200_001)
    for (let at = 0; at < nodes.length; at += node.length) nodes.set(node, at)
    expect(() => parseOnnx(graphWith(nodes), 'm.onnx')).toThrow('has more than 200000 nodes')
  })
})

/** Positions of a file outside its weights, where a change matters. */
function structure(bytes: Uint8Array): number[] {
  const isWeight = new Uint8Array(bytes.length)
  for (const { content } of parseOnnx(bytes, 'tiny.onnx').graph.initializers.values()) {
    if (content.kind === 'bytes' && content.bytes.length > 64) {
      isWeight.fill(1, content.bytes.byteOffset, content.bytes.byteOffset + content.bytes.length)
    }
  }
  return [...isWeight.keys()].filter((at) => isWeight[at] === 0)
}

function mutated(bytes: Uint8Array, positions: readonly number[], random: Random): Uint8Array {
  const at = positions[random.nextBelow(positions.length)]!
  switch (random.nextBelow(5)) {
    case 0:
      return bytes.slice(0, at)
    case 1:
      return joinBytes([bytes.subarray(0, at), [random.nextBelow(256)], bytes.subarray(at)])
    case 2:
      return joinBytes([bytes.subarray(0, at), bytes.subarray(at + 1 + random.nextBelow(8))])
    default: {
      const copy = bytes.slice()
      for (let count = 1 + random.nextBelow(4); count > 0; count--) {
        copy[positions[random.nextBelow(positions.length)]!] = random.nextBelow(256)
      }
      return copy
    }
  }
}

describe('2,000 mutations of tiny models, seed 11, parse or are refused', () => {
  test.each([
    ['fused', tinyDecoder({ linear: 'blocks4', zeros: 'packed' })],
    ['written out', tinyDecoder({ attention: 'written', norm: 'division', bias: 'first' })],
  ])('%s', async (_, model) => {
    const bytes = writeOnnx(model)
    const positions = structure(bytes)
    const random = new Random(11)
    const faults: unknown[] = []
    for (let round = 0; round < 1000; round++) {
      const file = mutated(bytes, positions, random)
      await recogniseBytes(file, TINY_CONFIG).catch((fault: unknown) => faults.push(fault))
    }
    expect(faults.filter((fault) => !(fault instanceof HycoraError))).toEqual([])
    expect(faults.length).toBeGreaterThan(500)
  })
})
