import { describe, expect, test } from 'vitest'

import { parseOnnx } from '../../../src/formats/onnx.ts'
import type { OnnxAttribute, OnnxModel } from '../../../src/formats/onnx.ts'
import { DATA_TYPES } from '../../../src/formats/onnxTensor.ts'
import type { OnnxTensor } from '../../../src/formats/onnxTensor.ts'
import { writeOnnx } from '../../../src/formats/onnxWriter.ts'
import { writeOnnx as writeTiny } from '../../support/onnxWriter.ts'
import { tinyDecoder } from '../../support/tinyDecoder.ts'

describe('writing ONNX', () => {
  test('what is written reads as the same model', () => {
    const tensor = {
      name: 'inside',
      dims: [2],
      dataType: 1,
      content: { kind: 'bytes', bytes: new Uint8Array(8) },
    } as const
    const attributes = new Map<string, OnnxAttribute>([
      ['float', { kind: 'float', value: 0.5 }],
      ['int', { kind: 'int', value: -(2 ** 40) }],
      ['text', { kind: 'text', value: 'é' }],
      ['tensor', { kind: 'tensor', value: tensor }],
      ['floats', { kind: 'floats', value: [1, -2] }],
      ['ints', { kind: 'ints', value: [0, 127, 128, 2 ** 52, -1] }],
    ])
    const node = { name: 'n', opType: 'Op', domain: 'com.microsoft', inputs: ['x', '', 'w'], outputs: ['y'] }
    const outside = { kind: 'external', location: 'w.bin', offset: 64, sizeBytes: 8 } as const
    const body = { name: 'body', nodes: [], initializers: new Map(), inputs: [], outputs: [] }
    const graph = {
      name: 'graph',
      nodes: [
        { ...node, attributes, metadata: new Map([['key', 'value']]) },
        {
          ...node,
          domain: '',
          attributes: new Map([['g', { kind: 'graph', value: body } as const]]),
          metadata: new Map(),
        },
      ],
      initializers: new Map<string, OnnxTensor>([
        ['w', { ...tensor, name: 'w', content: outside }],
        ['inside', tensor],
      ]),
      inputs: [{ name: 'x', dataType: 7, dims: [1, 'rank', null] }],
      outputs: [{ name: 'y', dataType: 1, dims: [] }],
    }
    const model: OnnxModel = {
      fileName: 'm.onnx',
      irVersion: 10,
      producer: 'tests',
      opsets: new Map([
        ['', 21],
        ['com.microsoft', 1],
      ]),
      metadata: new Map([['a', 'b']]),
      graph,
    }
    expect(parseOnnx(writeOnnx(model), 'm.onnx')).toEqual(model)
  })

  test.each([
    [DATA_TYPES.f32, [0.5, -2], [0, 0, 0, 63, 0, 0, 0, 192]],
    [DATA_TYPES.f16, [0x3c00, 0xc000], [0, 60, 0, 192]],
    [DATA_TYPES.i32, [-1, 258], [255, 255, 255, 255, 2, 1, 0, 0]],
    [DATA_TYPES.i64, [-2], [254, 255, 255, 255, 255, 255, 255, 255]],
    [DATA_TYPES.i8, [-3, 4], [253, 4]],
    [DATA_TYPES.u8, [200], [200]],
  ])('listed numbers of type %i become bytes', (dataType, values, bytes) => {
    const model = parseOnnx(writeTiny(tinyDecoder()), 'm.onnx')
    const listed: OnnxTensor = {
      name: 'listed',
      dims: [values.length],
      dataType,
      content: { kind: 'numbers', values },
    }
    const graph = { ...model.graph, initializers: new Map([['listed', listed]]) }
    const read = parseOnnx(writeOnnx({ ...model, graph }), 'm.onnx').graph.initializers.get('listed')
    expect(read?.content).toEqual({ kind: 'bytes', bytes: Uint8Array.from(bytes) })
  })

  test('a whole decoder comes back to the byte once it has been written', () => {
    const model = parseOnnx(writeTiny(tinyDecoder({ bias: 'last' })), 'm.onnx')
    const written = writeOnnx(model)
    expect(parseOnnx(written, 'm.onnx')).toEqual(model)
    expect(writeOnnx(parseOnnx(written, 'm.onnx'))).toEqual(written)
  })
})
