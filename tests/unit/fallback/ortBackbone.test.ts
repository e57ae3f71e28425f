import type { StopReason } from '../../../src/core/dialogue.ts'
import { readdirSync } from 'node:fs'

import * as ort from 'onnxruntime-web'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import type { FileSet } from '../../../src/core/bytes.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { OrtBackbone } from '../../../src/fallback/ortBackbone.ts'
import { parseOnnx } from '../../../src/formats/onnx.ts'
import { readPack } from '../../../src/formats/pack.ts'
import type { Backbone, Casting } from '../../../src/model/decoder/backbone.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { recogniseDecoder } from '../../../src/model/graph/recognise.ts'
import { checkFirstLogits } from '../../../src/model/decoder/logits.ts'
import { scoreTokens } from '../../../src/model/decoder/score.ts'
import { memorySource } from '../../../src/formats/memorySource.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { guidedReference, roleGuidedReference } from '../../reference/guided.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { decoderPack, referenceAdapters } from '../../support/decoderPack.ts'
import type { DecoderPackOptions } from '../../support/decoderPack.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { GEMMA, tinyConfig, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

const IDS = [3, 39, 17, 0, 22, 22, 8]
const BYTES = {
  qkv: 'uint8',
  o: 'uint8',
  gateUp: 'uint8',
  down: 'uint8',
  edgeDown: 'uint8',
  head: 'uint8',
} as const
const blend: Casting = {
  parts: [
    { role: 1, weight: 0.8 },
    { role: 2, weight: -0.3 },
  ],
  strength: 0.5,
}
const alone = (role: number): Casting => ({ parts: [{ role, weight: 1 }], strength: 1 })

// The first session compiles WebAssembly, which takes long on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 })

beforeAll(() => {
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
})

let opened: OrtBackbone[] = []
async function open(decoder: Decoder, options = {}): Promise<OrtBackbone> {
  const backbone = await OrtBackbone.create(ort, decoder, options)
  opened.push(backbone)
  return backbone
}
afterEach(() => {
  for (const backbone of opened) backbone.destroy()
  opened = []
})

function tiny(options: TinyOptions = {}): Promise<Decoder> {
  const bytes = writeOnnx(tinyDecoder(options))
  const nothing: FileSet = { open: async () => undefined }
  const files = { model: memorySource('tiny.onnx', bytes), folder: nothing }
  return recogniseDecoder(parseOnnx(bytes, 'tiny.onnx'), files, tinyConfig(options))
}

async function answer(
  backbone: Backbone,
  ids: readonly number[],
  casting: Casting | null,
  maxTokens: number,
): Promise<{ ids: number[]; reason: StopReason }> {
  const stream = backbone.generate({ ids, casting, sampling: GREEDY, maxTokens, stopIds: [] })
  const tokens: number[] = []
  for (;;) {
    const { value, done } = await stream.next()
    if (done) return { ids: tokens, reason: value }
    tokens.push(value)
  }
}

describe('a small decoder, against the float64 reference', () => {
  test.each<TinyOptions>([
    {},
    { bias: 'last', embedding: 'tied' },
    { qkv: 'separate', linear: 'gemm', attention: 'written', norm: 'standard' },
    { linear: 'blocks4', zeros: 'packed', bias: 'last' },
    { linear: 'blocks8', zeros: 'floats' },
    { embedding: 'int4' },
    { embedding: 'uint8' },
    { headNorms: 'each', bias: 'last' },
    { headNorms: 'all' },
    { rotated: 'first' },
    { norms: 'behind', headNorms: 'all' },
    { norms: 'both', bias: 'last' },
    { multipliers: 'all', embedding: 'tied' },
    { multipliers: 'all', headNorms: 'each' },
    { isInterleaved: true },
    { windowed: 'first', hasLocalTheta: true, attention: 'written' },
    GEMMA,
  ])('written as %o', async (options) => {
    const decoder = await tiny(options)
    const { logits } = referenceForward(await loadReference(decoder), IDS)
    const backbone = await open(decoder)
    expectClose(await backbone.logits(IDS, null), logits)
  })

  test.each<DecoderPackOptions>([
    {},
    { A: 'hyper+static' },
    { A: 'shared', rank: 1 },
    { A: 'table', B: 'table' },
    { B: 'hyper' },
    { A: 'shared', B: 'hyper', projections: ['q', 'v', 'down'] },
  ])('as a role of a pack with %o', async (options) => {
    const decoder = await tiny({ bias: 'last' })
    const pack = await decoderPack(decoder, options)
    const backbone = await open(decoder)
    await backbone.attach(pack)
    const reference = await loadReference(decoder)
    const bare = referenceForward(reference, IDS).logits
    for (const casting of [alone(1), { ...alone(2), strength: 0.5 }]) {
      const { logits } = referenceForward(reference, IDS, referenceAdapters(pack, casting))
      expect(nmse(logits, bare)).toBeGreaterThan(1e-3)
      expectClose(await backbone.logits(IDS, casting), logits)
    }
    expectClose(await backbone.logits(IDS, null), bare)
  })

  test('as a blend, and back to the bare backbone without the pack', async () => {
    const decoder = await tiny()
    const pack = await decoderPack(decoder)
    const backbone = await open(decoder)
    await backbone.attach(pack)
    const reference = await loadReference(decoder)
    const { logits } = referenceForward(reference, IDS, referenceAdapters(pack, blend))
    expectClose(await backbone.logits(IDS, blend), logits)
    await backbone.attach(null)
    expectClose(await backbone.logits(IDS, null), referenceForward(reference, IDS).logits)
  })

  test('in 8 bits, every row with a scale of its own', async () => {
    const decoder = await tiny()
    const backbone = await open(decoder, { forms: BYTES })
    const { logits } = referenceForward(await loadReference(decoder), IDS)
    expect(nmse(await backbone.logits(IDS, null), logits)).toBeLessThan(1e-3)
  })
})

describe('a chat', () => {
  test('a graph without adapters answers as the bare backbone and takes no pack', async () => {
    const decoder = await tiny()
    const [plain, whole] = [await open(decoder, { adapters: false }), await open(decoder)]
    expect(await plain.logits(IDS, null)).toEqual(await whole.logits(IDS, null))
    await expect(plain.attach(await decoderPack(decoder))).rejects.toMatchObject({
      code: 'model-incompatible',
    })
  })

  test('read in pieces equals read at once', async () => {
    const decoder = await tiny()
    const backbone = await open(decoder)
    await backbone.attach(await decoderPack(decoder))
    const whole = await backbone.logits(IDS, blend)
    await backbone.logits(IDS.slice(0, 3), blend)
    const { vocabulary } = decoder
    for (let i = 3; i < IDS.length; i++) {
      expectClose(await backbone.step(IDS[i]!), whole.subarray(i * vocabulary, (i + 1) * vocabulary))
    }
  })

  test('carries on from what is cached, for the same casting only', async () => {
    const decoder = await tiny()
    const backbone = await open(decoder)
    await backbone.attach(await decoderPack(decoder))
    const fresh = async (casting: Casting | null): Promise<number[]> => {
      const other = await open(decoder)
      await other.attach(await decoderPack(decoder))
      return (await answer(other, IDS, casting, 6)).ids
    }
    for (const casting of [alone(0), alone(0), blend, null, alone(0)]) {
      expect((await answer(backbone, IDS, casting, 6)).ids).toEqual(await fresh(casting))
    }
  })

  test.each([
    ['bare', null, {}],
    ['as a role, biased', alone(1), { bias: 'last' }],
    ['in blocks', alone(0), { linear: 'blocks4', zeros: 'packed' }],
  ] as const)('with guidance, %s, has the tokens of the equation in float64', async (_, casting, options) => {
    const decoder = await tiny(options)
    const pack = await decoderPack(decoder)
    const backbone = await open(decoder)
    await backbone.attach(pack)
    const reference = await loadReference(decoder)
    const adapters = casting ? { adapters: referenceAdapters(pack, casting) } : {}
    const beside = [...IDS.slice(0, 3), 5, 31]
    const said: string[] = []
    // To and fro, so that both find in their caches what is theirs.
    for (const guidance of [0.5, 6, 0, 6]) {
      const tokens: number[] = []
      const request = { ids: IDS, beside, casting, maxTokens: 8, stopIds: [] }
      for await (const id of backbone.generate({ ...request, sampling: { ...GREEDY, guidance } }))
        tokens.push(id)
      const expected = guidedReference(reference, [IDS, beside], { guidance, tokens: 8, ...adapters })
      expect(tokens).toEqual(expected)
      said.push(tokens.join(' '))
    }
    expect(new Set(said).size).toBeGreaterThan(1)
  })

  test.each([
    ['biased', { bias: 'last' }],
    ['in blocks', { linear: 'blocks4', zeros: 'packed' }],
  ] as const)(
    'with guidance by the role, %s, has the tokens of the equation in float64',
    async (_, options) => {
      const decoder = await tiny(options)
      const pack = await decoderPack(decoder)
      const backbone = await open(decoder)
      await backbone.attach(pack)
      const casting = alone(1)
      const reference = await loadReference(decoder)
      const said: string[] = []
      for (const guidance of [1, 1.5, 6, 1.5]) {
        const tokens: number[] = []
        const sampling = { ...GREEDY, roleGuidance: guidance }
        const request = { ids: IDS, casting, maxTokens: 8, stopIds: [], sampling }
        for await (const id of backbone.generate(request)) tokens.push(id)
        const adapters = referenceAdapters(pack, casting)
        expect(tokens).toEqual(roleGuidedReference(reference, IDS, { guidance, tokens: 8, adapters }))
        said.push(tokens.join(' '))
      }
      expect(new Set(said).size).toBeGreaterThan(1)
    },
  )

  test('goes on with guidance from what both chats have read, and beyond the first piece of the cache', async () => {
    const decoder = await tiny()
    const [backbone, fresh] = [await open(decoder), await open(decoder)]
    const sampling = { ...GREEDY, guidance: 1 }
    const guided = async (
      on: Backbone,
      ids: readonly number[],
      beside: readonly number[],
    ): Promise<number[]> => {
      const tokens: number[] = []
      const request = { ids, beside, casting: null, sampling, maxTokens: 4, stopIds: [] }
      for await (const id of on.generate(request)) tokens.push(id)
      return tokens
    }
    const first = await guided(backbone, IDS, [...IDS.slice(0, 4), 9])
    const next = [...IDS, ...first, 4, 5]
    expect(await guided(backbone, [...next, 6, 7, 8], [...next, 1])).toEqual(
      await guided(fresh, [...next, 6, 7, 8], [...next, 1]),
    )
    expect(backbone.affordsGuidance).toBe(true)
  })

  test('ends at the context, at the length, at a stop token and at the signal', async () => {
    const decoder = await tiny()
    const backbone = await open(decoder)
    expect(await answer(backbone, IDS, null, 100)).toMatchObject({ reason: 'context' })
    const { ids, reason } = await answer(backbone, IDS, null, 4)
    expect([ids.length, reason]).toEqual([4, 'length'])
    const request = { ids: IDS, casting: null, sampling: GREEDY, maxTokens: 9 }
    expect(await backbone.generate({ ...request, stopIds: [ids[0]!] }).next()).toEqual({
      done: true,
      value: 'end',
    })
    const stop = new AbortController()
    const stream = backbone.generate({ ...request, stopIds: [], signal: stop.signal })
    await stream.next()
    stop.abort()
    expect(await stream.next()).toEqual({ done: true, value: 'cancelled' })
    const stopped = backbone.generate({ ...request, stopIds: [], signal: stop.signal })
    expect(await stopped.next()).toEqual({ done: true, value: 'cancelled' })
  })

  test('ends with an error where the model computes no numbers, and knows it at once', async () => {
    const decoder = await tiny()
    const { values } = decoder.finalNorm
    const gains = new Uint8Array(new Float32Array(decoder.hidden).fill(Infinity).buffer)
    const source = memorySource('gains', gains)
    const finalNorm = {
      ...decoder.finalNorm,
      values: { ...values, dataType: 'f32' as const, source, offset: 0 },
    }
    const backbone = await open({ ...decoder, finalNorm })
    const speech = backbone.generate({ ids: IDS, casting: null, sampling: GREEDY, maxTokens: 4, stopIds: [] })
    await expect(speech.next()).rejects.toMatchObject({ code: 'not-a-number' })
    await expect(checkFirstLogits(backbone)).rejects.toMatchObject({ code: 'not-a-number' })
    const everything = IDS.map(() => true)
    await expect(scoreTokens(backbone, IDS, everything, null)).rejects.toMatchObject({ code: 'not-a-number' })
    await expect(checkFirstLogits(await open(decoder))).resolves.toBeUndefined()
  })

  test('refuses what it cannot do, by name', async () => {
    const decoder = await tiny()
    const backbone = await open(decoder)
    await expect(backbone.logits([40], null)).rejects.toThrow('token id 40 is outside the vocabulary of 40')
    const long = Array.from({ length: 33 }, () => 1)
    await expect(backbone.logits(long, null)).rejects.toMatchObject({ code: 'usage' })
    await expect(answer(backbone, [], null, 1)).rejects.toThrow('the prompt is empty')
    await backbone.attach(await decoderPack(decoder, { B: 'table' }))
    await expect(backbone.logits(IDS, blend)).rejects.toMatchObject({ code: 'format-unsupported' })
    const other = { ...decoder, layers: 1, blocks: decoder.blocks.slice(1) }
    await expect(backbone.attach(await decoderPack(other))).rejects.toMatchObject({
      code: 'model-incompatible',
    })
  })
})

describe.skipIf(!hasShared)('exporters’ folders (needs the developers’ material)', () => {
  test.each([
    ['g_llama_fp32_cpu', 1e-10],
    ['g_qwen2_fp32_cpu', 1e-10],
    ['g_qwen2_fp32_cpu_nofuse', 1e-10],
    ['t_llama_dyn18', 1e-10],
    ['t_llama_ts17', 1e-10],
    ['t_qwen2_ts17', 1e-10],
    ['g_llama_fp16_cpu', 1e-10],
    ['g_llama_int4_web', 1e-6],
    ['f_qwen3_opt', 1e-10],
    ['f_smollm3_opt', 1e-10],
    ['f_ernie_genai_fp32', 1e-10],
    ['f_phi4mini_opt', 1e-10],
    ['f_granite4_genai_fp32', 1e-10],
    ['f_mistral_window_opt', 1e-10],
    ['f_gemma3_opt', 1e-10],
  ])('%s, bare and as a role', async (name, tolerance) => {
    const root = sharedPath(`onnx/${name}`)
    const { decoder } = await openChatModel(folder(root), { listing: readdirSync(root) })
    const pack = await decoderPack(decoder)
    const backbone = await open(decoder)
    await backbone.attach(pack)
    const reference = await loadReference(decoder)
    const ids = [5, 9, 77, 42, 3, 100, 8, 8]
    expectClose(await backbone.logits(ids, null), referenceForward(reference, ids).logits, tolerance)
    const adapters = referenceAdapters(pack, blend)
    expectClose(
      await backbone.logits(ids, blend),
      referenceForward(reference, ids, adapters).logits,
      tolerance,
    )
  })
})

describe.skipIf(!hasShared)('the starter against PyTorch (needs the developers’ material)', () => {
  test('logits and greedy answers, bare and as two roles', async () => {
    const { tensors } = await readTensors(sharedPath('golden/backbone/golden.safetensors'))
    const values = (name: string): Float64Array => tensors.get(name)!.values
    const { decoder } = await openChatModel(folder(sharedPath('backbone/starter')), {
      model: 'onnx/model.onnx',
    })
    const backbone = await open(decoder)
    await backbone.attach(await readPack(await fileSource(sharedPath('backbone/starter.hycora.safetensors'))))
    const ids = [...values('prompt.0.ids')]
    const long = Array.from({ length: 130 }, (_, i) => (37 * i) % decoder.vocabulary)
    const whole = await backbone.logits(long, alone(3))
    await backbone.logits(long.slice(0, 127), alone(3))
    for (let i = 127; i < 130; i++) {
      const expected = whole.subarray(i * decoder.vocabulary, (i + 1) * decoder.vocabulary)
      expectClose(await backbone.step(long[i]!), expected)
    }
    for (const role of [null, 0, 5]) {
      const name = `prompt.0.${role === null ? 'bare' : `role${role}`}`
      const casting = role === null ? null : alone(role)
      expectClose(await backbone.logits(ids, casting), values(`${name}.logits`), 1e-8)
      const greedy = [...values(`${name}.greedy`)]
      expect((await answer(backbone, ids, casting, greedy.length)).ids).toEqual(greedy)
    }
  })
})
