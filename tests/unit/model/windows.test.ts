import { describe, expect, test } from 'vitest'

import { maskOf } from '../../../src/model/graph/maskRules.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, WINDOWED_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'
import { TINY, WINDOWED } from '../../support/tinyGraph.ts'

/** As onnxruntime-genai writes it since it lets caches slide. */
const WINDOW_OF_FOUR = { local_window_size: { int: 4 }, sliding_window_cache: { int: 1 } }

test('a graph’s own window is that of its block', async () => {
  const nodes = tinyDecoder().nodes.map((node) =>
    node.outputs.includes('present.1.key')
      ? { ...node, attributes: { ...node.attributes, ...WINDOW_OF_FOUR } }
      : node,
  )
  const decoder = await recogniseBytes(writeOnnx({ ...tinyDecoder(), nodes }), TINY_CONFIG)
  expect(decoder.maxPositions).toBe(TINY.positions)
  expect(decoder.blocks.map(({ window }) => window)).toEqual([null, 4])
})

describe('windows and rotations by layer', () => {
  const windowed: TinyOptions = { windowed: 'first', hasLocalTheta: true }
  const rotaries = [
    { kind: 'theta', theta: TINY.theta },
    { kind: 'theta', theta: WINDOWED.theta },
  ]

  test.each<TinyOptions>([{}, { attention: 'written' }, { attention: 'written', masks: 'hidden' }])(
    'are told by the graph alone: %o',
    async (options) => {
      const bytes = writeOnnx(tinyDecoder({ ...windowed, ...options }))
      for (const config of [undefined, WINDOWED_CONFIG]) {
        const decoder = await recogniseBytes(bytes, config)
        expect(decoder.rotaries).toHaveLength(2)
        expect(decoder.blocks.map(({ rotary, window }) => [rotary, window])).toEqual([
          [1, WINDOWED.window],
          [0, null],
        ])
      }
    },
  )

  test.each([
    ['Greater', 5, 0, 5],
    ['LessOrEqual', 5, 0, 5],
    ['GreaterOrEqual', 5, 0, 6],
    ['Less', 5, 0, 6],
    ['Less', 0, 5, 5],
    ['GreaterOrEqual', 0, 5, 5],
    ['Greater', 0, 5, 6],
    ['LessOrEqual', 0, 5, 6],
  ])('%s of positions plus %i and plus %i reaches %i tokens back', (operator, a, b, window) => {
    const sides = [a, b].map((shift) => ({ kind: 'position', shift }) as const)
    expect(maskOf(operator, sides)).toEqual({ kind: 'mask', window })
    expect(maskOf('And', [undefined, { kind: 'mask', window }])).toEqual({ kind: 'mask', window })
    expect(maskOf(operator, [sides[0], sides[0]])).toBeUndefined()
  })

  test.each([
    ['Less', 0, 1],
    ['GreaterOrEqual', 0, 1],
  ])('%s of positions plus %i and plus %i is the causal mask', (operator, a, b) => {
    expect(
      maskOf(
        operator,
        [a, b].map((shift) => ({ kind: 'position', shift }) as const),
      ),
    ).toBeUndefined()
  })

  test('are read from what transformers writes since its fifth version', async () => {
    const { rope_theta: _, rope_local_base_freq: __, ...rest } = WINDOWED_CONFIG
    const config = {
      ...rest,
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: TINY.theta },
        sliding_attention: { rope_type: 'default', rope_theta: WINDOWED.theta },
      },
    }
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder(windowed)), config)
    expect(decoder.rotaries).toEqual(rotaries)
    const wrong = { ...WINDOWED_CONFIG, rope_local_base_freq: 200 }
    await expect(recogniseBytes(writeOnnx(tinyDecoder(windowed)), wrong)).rejects.toThrow(
      `rotates with rope_theta ${WINDOWED.theta}, expected 200 of config.json`,
    )
  })

  test('are refused where blocks without a window rotate in several ways', async () => {
    const graph = tinyDecoder(windowed)
    const nodes = graph.nodes.map((node) => {
      if (!node.outputs.includes('present.0.key')) return node
      const { local_window_size: _, ...attributes } = node.attributes ?? {}
      return { ...node, attributes }
    })
    await expect(recogniseBytes(writeOnnx({ ...graph, nodes }), TINY_CONFIG)).rejects.toThrow(
      'rotates in several ways, expected one for all blocks, or one more for those with a window',
    )
  })
})
