import { describe, expect, test } from 'vitest'

import { fingerprint } from '../../../src/model/decoder/fingerprint.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { nmse } from '../../support/compare.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import type { WrittenModel } from '../../support/onnxWriter.ts'
import { change, recogniseBytes, withTensor } from '../../support/tinyBackbone.ts'
import { CHATGLM, CHATGLM_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import { TINY } from '../../support/tinyGraph.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]
const TOKENIZER = { model: { vocab: { a: 0, b: 1 } } }

const open = (options: TinyOptions, config: unknown = CHATGLM_CONFIG) =>
  recogniseBytes(writeOnnx(tinyDecoder(options)), config)

describe('a decoder as ChatGLM2 is', () => {
  test('has the sizes that its config.json gives by other names, and slices its fused matrices', async () => {
    const decoder = await open(CHATGLM)
    expect(decoder).toMatchObject({
      architecture: 'chatglm',
      kvHeads: TINY.kvHeads,
      headDim: TINY.headDim,
      ffn: TINY.ffn,
      maxPositions: TINY.positions,
      rotation: { dim: TINY.headDim / 2, isInterleaved: true },
      rotaries: [{ kind: 'theta', theta: 10_000 }],
    })
    const { gate, up } = decoder.blocks[1]!.linears
    expect([gate, up].map(({ weight }) => [weight.firstOut, weight.out])).toEqual([
      [0, TINY.ffn],
      [TINY.ffn, TINY.ffn],
    ])
    expect(up.weight.stored).toBe(gate.weight.stored)
  })

  test('is the same model in the forms of other exporters', async () => {
    const forms: readonly TinyOptions[] = [
      CHATGLM,
      { ...CHATGLM, isTokensFirst: false },
      { ...CHATGLM, isTokensFirst: false, neighbours: 'slices' },
      { ...CHATGLM, isTokensFirst: false, attention: 'fused' },
      { ...CHATGLM, isTokensFirst: false, attention: 'standard' },
    ]
    const found = await Promise.all(
      forms.map(async (options) => {
        const decoder = await open(options)
        const { logits } = referenceForward(await loadReference(decoder), IDS)
        return { logits, mark: await fingerprint(decoder, CHATGLM_CONFIG, TOKENIZER) }
      }),
    )
    const [first, ...others] = found
    for (const { logits } of others) expect(nmse(logits, first!.logits)).toBeLessThan(1e-12)
    expect(first!.mark).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(found.map(({ mark }) => mark)).size).toBe(1)
  })

  test('without config.json takes θ from its table, and with another one is refused', async () => {
    expect((await open(CHATGLM, undefined)).rotaries).toEqual([{ kind: 'theta', theta: TINY.theta }])
    await expect(open(CHATGLM, { ...CHATGLM_CONFIG, rope_ratio: 2 })).rejects.toThrow(
      'tiny.onnx rotates with rope_theta 10000, expected 20000 of config.json',
    )
    // One position of a table is 32 bytes: four pairs of two floats.
    const late = withTensor(tinyDecoder(CHATGLM), 'turns', ({ bytes, ...tensor }) => {
      return { ...tensor, dims: [TINY.positions - 1, 4, 2], bytes: bytes!.slice(32) }
    })
    await expect(recogniseBytes(writeOnnx(late))).rejects.toThrow(
      'tiny.onnx has rotary tables that do not start at angle 0, expected so',
    )
  })
})

const pairs = tinyDecoder(CHATGLM)
const slices = tinyDecoder({ isInterleaved: true, attention: 'written' })
const reversed = (model: WrittenModel, output: string): WrittenModel =>
  change(model, output, ({ inputs }) => ({ inputs: inputs.toReversed() }))

test.each<[string, WrittenModel, string]>([
  ['a sum for a difference', change(pairs, 'layers.0.q.y.split.part.even', () => ({ opType: 'Add' })), 'Add'],
  ['sines for cosines', reversed(pairs, 'layers.0.q.y.split.part.even'), 'Sub'],
  ['odd ones first', reversed(pairs, 'layers.0.k.y.split.part.rotated.stacked'), 'Concat'],
  ['even ones turned away', reversed(slices, 'layers.0.q.y.heads.turned.stacked'), 'Concat'],
  [
    'every other one from the third on',
    change(slices, 'layers.0.q.y.heads.1', ({ inputs }) => ({
      inputs: inputs.map((input, at) => (at === 1 ? 'by' : input)),
    })),
    'Slice',
  ],
  ['angles for halves', change(slices, 'cos', () => ({ opType: 'Identity', inputs: ['cos.heads'] })), 'Add'],
])('neighbours with %s are refused', async (_, model, operator) => {
  await expect(recogniseBytes(writeOnnx(model))).rejects.toMatchObject({
    code: 'format-unsupported',
    message: expect.stringMatching(new RegExp(`\\(${operator}\\) stands where`)),
  })
})
