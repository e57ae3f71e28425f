import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { readMatrix } from '../../../src/model/decoder/dequantise.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import type { WrittenAttribute, WrittenModel, WrittenTensor } from '../../support/onnxWriter.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import {
  append,
  asHalf,
  change,
  constant,
  insertAfter,
  prepend,
  recogniseBytes,
  withTensor,
  withTensors,
} from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'

describe('a tiny decoder', () => {
  test('gives the committed logits', async () => {
    const path = resolve(import.meta.dirname, '../../golden/tinyDecoder.json')
    const golden: { ids: number[]; logits: string } = JSON.parse(readFileSync(path, 'utf8'))
    const expected = new Float32Array(Uint8Array.from(Buffer.from(golden.logits, 'base64')).buffer)
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder({ qkv: 'fused', bias: 'last' })), TINY_CONFIG)
    const { logits } = referenceForward(await loadReference(decoder), golden.ids)
    expect(nmse(logits, expected)).toBeLessThan(1e-10)
  })

  test('has the shape of config.json and slices its fused projection', async () => {
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder({ bias: 'last' })), TINY_CONFIG)
    const { layers, hidden, heads, kvHeads, headDim, ffn, vocabulary } = decoder
    const { positions, theta, epsilon, ...shape } = TINY
    expect({ layers, hidden, heads, kvHeads, headDim, ffn, vocabulary }).toEqual(shape)
    expect(decoder).toMatchObject({ architecture: 'llama', maxPositions: positions, normEpsilon: epsilon })
    expect(decoder.rotaries).toEqual([{ kind: 'theta', theta }])
    const { q, k, v } = decoder.blocks[0]!.linears
    expect([q, k, v].map(({ weight }) => [weight.firstOut, weight.out])).toEqual([
      [0, 64],
      [64, 32],
      [96, 32],
    ])
    expect([q, k, v].map(({ bias }) => [bias!.first, bias!.length])).toEqual([
      [0, 64],
      [64, 32],
      [96, 32],
    ])
    expect(k.weight.stored).toBe(q.weight.stored)
  })

  test('shares a tied matrix and sees it the right way round', async () => {
    const decoder = await recogniseBytes(writeOnnx(tinyDecoder({ embedding: 'tied' })))
    expect(decoder.embedding.stored).toBe(decoder.head.stored)
    expect(await readMatrix(decoder.embedding)).toEqual(await readMatrix(decoder.head))
  })

  test('without config.json reads its tables, or fits θ to its frequencies', async () => {
    const tables = await recogniseBytes(writeOnnx(tinyDecoder()))
    expect(tables).toMatchObject({
      architecture: '',
      maxPositions: TINY.positions,
      rotaries: [{ kind: 'tables' }],
    })
    const frequencies = await recogniseBytes(writeOnnx(tinyDecoder({ attention: 'written' })))
    expect(frequencies.rotaries).toEqual([{ kind: 'theta', theta: TINY.theta }])
  })

  test('with scaled frequencies computes tables from them', async () => {
    const values = Array.from({ length: 8 }, (_, i) => (i < 4 ? 1 : 0.125) * TINY.theta ** (-i / 8))
    const scaled = withTensor(tinyDecoder({ attention: 'written' }), 'frequencies', (tensor) => {
      return { ...tensor, bytes: new Uint8Array(Float32Array.from(values).buffer) }
    })
    const config = { ...TINY_CONFIG, rope_scaling: { rope_type: 'llama3' } }
    const [rotary] = (await recogniseBytes(writeOnnx(scaled), config)).rotaries
    if (rotary?.kind !== 'tables') throw new Error('expected tables')
    expect(rotary.sin.shape).toEqual([TINY.positions, 8])
    const bytes = await rotary.sin.source.read((5 * 8 + 6) * 4, 4)
    expect(new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true)).toBeCloseTo(
      Math.sin(5 * values[6]!),
      6,
    )
    await expect(recogniseBytes(writeOnnx(scaled), TINY_CONFIG)).rejects.toThrow(
      'tiny.onnx rotates with no single rope_theta, expected 10000 of config.json',
    )
  })

  test('reads weights from a file beside it', async () => {
    const plain = tinyDecoder()
    const weight = plain.initializers.find(({ name }) => name === 'head.weight')!
    const place = (external: Record<string, string>): Uint8Array =>
      writeOnnx(
        withTensor(plain, 'head.weight', ({ name, dataType, dims }) => ({ name, dataType, dims, external })),
      )
    const data = new Uint8Array(64 + weight.bytes!.length)
    data.set(weight.bytes!, 64)
    const inside = place({ location: 'tiny.onnx_data', offset: '64', length: String(weight.bytes!.length) })
    const decoder = await recogniseBytes(inside, TINY_CONFIG, { 'tiny.onnx_data': data })
    const same = await recogniseBytes(writeOnnx(plain), TINY_CONFIG)
    expect(await readMatrix(decoder.head)).toEqual(await readMatrix(same.head))
    const beyond = place({ location: 'tiny.onnx_data', offset: '65' })
    await expect(recogniseBytes(beyond, TINY_CONFIG, { 'tiny.onnx_data': data })).rejects.toMatchObject({
      code: 'format-invalid',
      message: `tiny.onnx_data has ${data.length} bytes, expected head.weight up to byte ${data.length + 1}`,
    })
    await expect(recogniseBytes(inside, TINY_CONFIG)).rejects.toMatchObject({
      code: 'format-invalid',
      message: 'tiny.onnx places head.weight in tiny.onnx_data, which is not beside it',
    })
  })

  test('may hold its weights as halves', async () => {
    const plain = tinyDecoder()
    const half = withTensor(plain, 'head.weight', asHalf)
    const { head } = await recogniseBytes(writeOnnx(half), TINY_CONFIG)
    expect(head.stored).toMatchObject({ kind: 'float', layout: 'in-out', values: { dataType: 'f16' } })
    const exact = await readMatrix((await recogniseBytes(writeOnnx(plain), TINY_CONFIG)).head)
    expect(nmse(await readMatrix(head), exact)).toBeLessThan(1e-6)
  })
})

/** A tiny decoder whose last attention has one more attribute. */
function withAttention(name: string, value: WrittenAttribute): WrittenModel {
  return change(tinyDecoder(), 'layers.1.attended', (node) => ({
    attributes: { ...node.attributes, [name]: value },
  }))
}

describe('what is no decoder of a known family is refused by naming the node', () => {
  const half = constant('half', [])
  const vector = constant('vector', [TINY.hidden])
  const written = tinyDecoder({ attention: 'written' })

  test.each<[string, WrittenModel, string]>([
    [
      'a scaled residual stream',
      withTensors(
        insertAfter(tinyDecoder(), 'layers.0.middle', (x) => ({ opType: 'Mul', inputs: [x, 'half'] })),
        half,
      ),
      '"inserted" (Mul)',
    ],
    [
      'one block whose addition is scaled',
      withTensors(
        insertAfter(tinyDecoder(), 'layers.0.o.y', (x) => ({ opType: 'Mul', inputs: [x, 'half'] })),
        half,
      ),
      'tiny.onnx multiplies what it adds to the residual stream by 1, 0.5, expected one number',
    ],
    [
      'an MLP that reads the stream before attention',
      change(tinyDecoder({ norms: 'behind' }), 'layers.0.gate.y', ({ inputs }) => ({
        inputs: ['embedded', inputs[1]!],
      })),
      '"node_layers.0.gated" (Mul)',
    ],
    [
      'a scaled gate',
      withTensors(
        insertAfter(tinyDecoder(), 'layers.0.gate.y', (x) => ({ opType: 'Mul', inputs: [x, 'half'] })),
        half,
      ),
      '"node_layers.0.sigmoid" (Sigmoid)',
    ],
    [
      'a constant added to the stream',
      withTensors(
        insertAfter(tinyDecoder(), 'layers.0.middle', (x) => ({ opType: 'Add', inputs: [x, 'vector'] })),
        vector,
      ),
      '"inserted" (Add)',
    ],
    [
      'a norm after one attention',
      withTensors(
        insertAfter(tinyDecoder(), 'layers.1.o.y', (x) => ({
          opType: 'SimplifiedLayerNormalization',
          inputs: [x, 'vector'],
        })),
        vector,
      ),
      'tiny.onnx has norms behind some of its attentions and MLPs, expected them behind all or none',
    ],
    [
      'a norm of query heads but not of keys',
      withTensors(
        insertAfter(written, 'layers.0.q.y.heads', (x) => ({
          opType: 'SimplifiedLayerNormalization',
          inputs: [x, 'q_norm'],
        })),
        constant('q_norm', [TINY.headDim]),
      ),
      '"node_layers.0.mixed" (MatMul)',
    ],
    [
      'the gain of query heads without that of keys',
      change(tinyDecoder({ headNorms: 'inside' }), 'layers.0.attended', ({ inputs }) => ({
        inputs: inputs.slice(0, -1),
      })),
      '(com.microsoft.GroupQueryAttention)',
    ],
    [
      'a mask for scores inside of the attention operator',
      withTensors(
        change(tinyDecoder({ headNorms: 'inside' }), 'layers.0.attended', ({ inputs }) => ({
          inputs: inputs.map((input, at) => (at === 10 ? 'half' : input)),
        })),
        half,
      ),
      '(com.microsoft.GroupQueryAttention)',
    ],
    [
      'another activation',
      change(tinyDecoder(), 'layers.0.sigmoid', () => ({ opType: 'Tanh' })),
      '"node_layers.0.sigmoid" (Tanh)',
    ],
    [
      'capped logits',
      insertAfter(tinyDecoder(), 'logits', (x) => ({ opType: 'Tanh', inputs: [x] })),
      '"inserted" (Tanh)',
    ],
    [
      'attention and MLP side by side',
      change(tinyDecoder(), 'layers.0.post_norm.y', (node) => ({ inputs: ['embedded', node.inputs[1]!] })),
      '"node_layers.0.end" (Add)',
    ],
    [
      'another norm for the values',
      change(
        append(tinyDecoder({ qkv: 'separate' }), 'embedded', {
          opType: 'SimplifiedLayerNormalization',
          inputs: ['embedded', 'layers.0.input_norm.gain'],
          outputs: ['other'],
        }),
        'layers.0.v.y',
        (node) => ({ inputs: ['other', node.inputs[1]!] }),
      ),
      '"node_layers.0.middle" (Add)',
    ],
    [
      'attention without a mask',
      change(written, 'layers.0.weights', () => ({ inputs: ['layers.0.scaled'] })),
      '"node_layers.0.weights" (Softmax)',
    ],
    [
      'keys without positions',
      change(written, 'present.1.key', (node) => ({ inputs: [node.inputs[0]!, 'layers.1.k.y.heads'] })),
      '"node_layers.1.scores" (MatMul)',
    ],
    [
      'interleaved rotation in one block',
      withAttention('rotary_interleaved', { int: 1 }),
      'rotates in several ways, expected one for all blocks',
    ],
    ['capped scores', withAttention('softcap', { float: 30 }), '(com.microsoft.GroupQueryAttention)'],
    ['an unknown attribute', withAttention('surprise', { int: 1 }), '(com.microsoft.GroupQueryAttention)'],
    [
      'a weight that is computed',
      withTensors(
        change(
          prepend(tinyDecoder(), {
            opType: 'Mul',
            inputs: ['layers.0.o.weight', 'half'],
            outputs: ['halved'],
          }),
          'layers.0.o.y',
          (node) => ({ inputs: [node.inputs[0]!, 'halved'] }),
        ),
        half,
      ),
      '"node_layers.0.o.y" (MatMul)',
    ],
    [
      'a graph out of order',
      prepend(tinyDecoder(), { opType: 'Identity', inputs: ['logits'], outputs: ['early'] }),
      'uses logits in node "node_early" (Identity) before any node gives it',
    ],
    [
      'a branch',
      insertAfter(tinyDecoder(), 'layers.1.middle', (x) => ({ opType: 'If', inputs: [x] })),
      '"inserted" (If)',
    ],
    [
      'block weights in an order of their own',
      change(tinyDecoder({ linear: 'blocks4' }), 'layers.0.o.y', (node) => ({
        attributes: { ...node.attributes, weight_prepacked: { int: 1 } },
      })),
      '"node_layers.0.o.y" (com.microsoft.MatMulNBits)',
    ],
    [
      'a low-rank detour',
      withTensors(
        insertAfter(
          append(
            append(tinyDecoder(), 'layers.0.gate.y', {
              opType: 'MatMul',
              inputs: ['low', 'lora_B'],
              outputs: ['delta'],
              name: 'lora_B',
            }),
            'layers.0.gate.y',
            { opType: 'MatMul', inputs: ['layers.0.post_norm.y', 'lora_A'], outputs: ['low'] },
          ),
          'layers.0.up.y',
          (x) => ({ opType: 'Add', inputs: [x, 'delta'] }),
        ),
        constant('lora_A', [TINY.hidden, 4]),
        constant('lora_B', [4, TINY.ffn]),
      ),
      '"lora_B" (MatMul)',
    ],
  ])('%s', async (_, model, node) => {
    const recognised = recogniseBytes(writeOnnx(model))
    await expect(recognised).rejects.toMatchObject({ message: expect.stringContaining(node) })
    await expect(recognised).rejects.toMatchObject({
      code: expect.stringMatching(/^format-(unsupported|invalid)$/),
    })
  })

  test('blocks of which only some have norms of heads', async () => {
    const normed = ['q', 'k'].reduce(
      (model, part) =>
        withTensors(
          insertAfter(model, `layers.0.${part}.y.heads`, (x) => ({
            opType: 'SimplifiedLayerNormalization',
            inputs: [x, `${part}_norm`],
            attributes: { epsilon: { float: TINY.epsilon } },
          })),
          constant(`${part}_norm`, [TINY.headDim]),
        ),
      written,
    )
    await expect(recogniseBytes(writeOnnx(normed))).rejects.toThrow(
      'tiny.onnx normalises 16, 0 columns of the blocks’ queries together, expected one number',
    )
  })

  test('a rotation without its rest, and one of more than the dimensions it is of', async () => {
    const part = tinyDecoder({ rotaryDim: 12, attention: 'written' })
    const short = change(part, 'layers.0.q.y.heads.rest', (node) => ({
      inputs: node.inputs.map((input) => (input === 'rotated' ? 'half' : input)),
    }))
    await expect(recogniseBytes(writeOnnx(short))).rejects.toThrow(
      '"node_layers.0.q.y.heads.rotated" (Concat) stands where a decoder has the dimensions that are not rotated',
    )
    expect((await recogniseBytes(writeOnnx(part))).rotation).toEqual({ dim: 12, isInterleaved: false })
    const fewer = withTensor(part, 'frequencies', (tensor) => {
      return { ...tensor, dims: [1, 5, 1], bytes: tensor.bytes!.slice(0, 20) }
    })
    await expect(recogniseBytes(writeOnnx(fewer))).rejects.toThrow(
      'tiny.onnx has 5 rotary frequencies in frequencies, expected 6 for 12 dimensions',
    )
  })

  test('no rotation at all', async () => {
    const nodes = tinyDecoder().nodes.map((node) =>
      node.opType === 'GroupQueryAttention'
        ? { ...node, attributes: { ...node.attributes, do_rotary: { int: 0 } } }
        : node,
    )
    await expect(recogniseBytes(writeOnnx({ ...tinyDecoder(), nodes }))).rejects.toThrow(
      'tiny.onnx rotates in no block, expected positions in some',
    )
  })

  test('another scale in one block and a bias on the logits', async () => {
    await expect(recogniseBytes(writeOnnx(withAttention('scale', { float: 0.5 })))).rejects.toThrow(
      'tiny.onnx has attention scale 0.25 and 0.5 in different blocks',
    )
    const biased = insertAfter(tinyDecoder(), 'logits', (x) => ({ opType: 'Add', inputs: [x, 'bias'] }))
    await expect(
      recogniseBytes(writeOnnx(withTensors(biased, constant('bias', [TINY.vocabulary])))),
    ).rejects.toThrow('adds a bias to the logits')
  })
})

function oneInteger(name: string, value: number): WrittenTensor {
  return { name, dataType: 7, dims: [1], integers: [value] }
}

test.each([
  ['Gather', ['last']],
  ['Slice', ['last', 'end', 'rows']],
])('rows that a %s chooses before the head are the engine’s own affair', async (opType, more) => {
  const chosen = insertAfter(tinyDecoder(), 'final_norm.y', (x) => ({
    opType,
    inputs: [x, ...more],
    ...(opType === 'Gather' && { attributes: { axis: { int: 1 } } }),
  }))
  const constants = [oneInteger('last', -1), oneInteger('end', 2 ** 31 - 1), oneInteger('rows', 1)]
  const decoder = await recogniseBytes(writeOnnx(withTensors(chosen, ...constants)), TINY_CONFIG)
  expect(decoder.head.out).toBe(TINY.vocabulary)
})
