import { describe, expect, test } from 'vitest'

import { findLinears } from '../../../src/fallback/findLinears.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import type { WrittenNode } from '../../support/onnxWriter.ts'

const NAME = '/model/layers.3/self_attn/q_proj/MatMul_matmul_Q4'
const [F32, I8] = [1, 3]
const WIDTHS = [6, 4] as const

/** A linear layer whose weights `[rows, columns]` go through some nodes. */
function foundIn(nodes: readonly WrittenNode[], dims: readonly number[], last: Partial<WrittenNode> = {}) {
  const weight = nodes.at(-1)?.outputs[0] ?? 'W'
  const layer = { opType: 'MatMul', name: NAME, inputs: ['x', weight], outputs: ['y'], ...last }
  const model = {
    opset: 21,
    nodes: [...nodes, layer],
    initializers: [{ name: 'W', dataType: I8, dims, bytes: new Uint8Array(24) }],
    inputs: [{ name: 'x', dataType: F32, dims: [1, 'n', WIDTHS[0]] }],
    outputs: [],
  }
  return findLinears(parseOnnx(writeOnnx(model), 'test.onnx').graph)
}

const dequantise = (input: string): WrittenNode => ({
  opType: 'DequantizeLinear',
  inputs: [input, 's'],
  outputs: [`${input}.floats`],
})
const node = (opType: string, input: string): WrittenNode => ({
  opType,
  inputs: [input],
  outputs: [`${input}.${opType}`],
})

describe('a linear layer', () => {
  test.each([
    ['stored', [], [6, 4]],
    ['turned', [node('Transpose', 'W')], [4, 6]],
    ['dequantised beside it', [dequantise('W')], [6, 4]],
    ['dequantised, then turned', [dequantise('W'), node('Transpose', 'W.floats')], [4, 6]],
    ['turned, then dequantised', [node('Transpose', 'W'), dequantise('W.Transpose')], [4, 6]],
    [
      'dequantised, cast and handed on',
      [dequantise('W'), node('Cast', 'W.floats'), node('Identity', 'W.floats.Cast')],
      [6, 4],
    ],
  ])('is found with its weights %s', (_, nodes, dims) => {
    expect(foundIn(nodes, dims)).toEqual([
      { layer: 3, projections: ['q'], x: 'x', y: 'y', in: WIDTHS[0], out: WIDTHS[1] },
    ])
  })

  test('is none where its weights are computed', () => {
    expect(foundIn([node('Sin', 'W')], [6, 4])).toEqual([])
  })
})
