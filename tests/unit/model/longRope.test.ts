import { expect, test } from 'vitest'

import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import type { WrittenAttribute, WrittenModel } from '../../support/onnxWriter.ts'
import { append, change, recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'

const LIMIT = 12
const PAIRS = TINY.headDim / 2
const CONFIG = {
  ...TINY_CONFIG,
  rope_scaling: { type: 'longrope' },
  original_max_position_embeddings: LIMIT,
}

/** Tables of cosines and sines as constants of a branch, angles divided by `factor`. */
function branch(positions: number, factor: number): WrittenAttribute {
  const angles = Array.from({ length: positions * PAIRS }, (_, at) => {
    return (Math.floor(at / PAIRS) * TINY.theta ** (-(at % PAIRS) / PAIRS)) / factor
  })
  const nodes = (['cos', 'sin'] as const).map((name) => ({
    opType: 'Constant',
    inputs: [],
    outputs: [`${name}.own`],
    attributes: {
      value: {
        tensor: {
          name: `${name}.own`,
          dataType: 1,
          dims: [positions, PAIRS],
          floats: angles.map(Math[name]),
        },
      },
    },
  }))
  const outputs = ['cos', 'sin'].map((name) => ({
    name: `${name}.own`,
    dataType: 1,
    dims: [positions, PAIRS],
  }))
  return { graph: { nodes, initializers: [], inputs: [], outputs } }
}

/** A tiny decoder whose tables are chosen by how long the text is. */
function withBranches(rows = LIMIT): WrittenModel {
  const plain = tinyDecoder()
  const limit = { name: 'limit', dataType: 7, dims: [], integers: [LIMIT] }
  const initializers = [...plain.initializers.filter(({ name }) => name !== 'cos' && name !== 'sin'), limit]
  const chosen = append({ ...plain, initializers }, 'mask.total', {
    opType: 'If',
    inputs: ['is.longer'],
    outputs: ['cos', 'sin'],
    attributes: { then_branch: branch(TINY.positions, 3), else_branch: branch(rows, 1) },
  })
  return append(chosen, 'mask.total', {
    opType: 'Greater',
    inputs: ['mask.total', 'limit'],
    outputs: ['is.longer'],
  })
}

test('of tables for shorter and for longer texts those for shorter ones are taken, as far as they reach', async () => {
  const decoder = await recogniseBytes(writeOnnx(withBranches()), CONFIG)
  expect(decoder.maxPositions).toBe(LIMIT)
  const plain = await recogniseBytes(writeOnnx(tinyDecoder()), TINY_CONFIG)
  const [own, same] = await Promise.all(
    [decoder, plain].map(
      async (model) => referenceForward(await loadReference(model), [3, 39, 17, 0]).logits,
    ),
  )
  expect(nmse(own!, same!)).toBeLessThan(1e-12)
  expect((await recogniseBytes(writeOnnx(withBranches()))).maxPositions).toBe(LIMIT)
})

test('tables that reach further than what chooses them, or are chosen by something else, are refused', async () => {
  await expect(recogniseBytes(writeOnnx(withBranches(LIMIT + 1)), CONFIG)).rejects.toThrow(
    '(If) holds a graph of its own',
  )
  const other = change(withBranches(), 'is.longer', () => ({ inputs: ['limit', 'mask.total'] }))
  await expect(recogniseBytes(writeOnnx(other), CONFIG)).rejects.toThrow('(If) holds a graph of its own')
})
