import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { GREEDY, STEADY } from '../../../src/core/sampling.ts'
import type { Sampling } from '../../../src/core/sampling.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import type { Casting, GenerateRequest } from '../../../src/model/decoder/backbone.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { loadReference } from '../../reference/decoder.ts'
import { guidedReference, roleGuidedReference } from '../../reference/guided.ts'
import { decoderPack, referenceAdapters } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

/** The last words differ, in number too. */
const CHAT = [3, 39, 17, 0, 22, 22, 8]
const BESIDE = [3, 39, 17, 5, 31]
const ROLE: Casting = { parts: [{ role: 1, weight: 1 }], strength: 1 }

let decoder: Decoder
let pack: Pack
let backbone: GpuBackbone

async function open(): Promise<GpuBackbone> {
  const opened = await GpuBackbone.create(await testGpu(), decoder)
  await opened.attach(pack)
  return opened
}

beforeAll(async () => {
  decoder = await recogniseBytes(writeOnnx(tinyDecoder({ bias: 'last' })), TINY_CONFIG)
  pack = await decoderPack(decoder)
  backbone = await open()
})
afterAll(() => backbone.destroy())

async function answer(
  on: GpuBackbone,
  sampling: Sampling,
  request: Partial<GenerateRequest> = {},
): Promise<number[]> {
  const tokens: number[] = []
  const usual = { ids: CHAT, casting: ROLE, maxTokens: 10, stopIds: [], beside: BESIDE }
  for await (const id of on.generate({ ...usual, ...request, sampling })) tokens.push(id)
  return tokens
}

const guided = (guidance: number): Sampling => ({ ...GREEDY, guidance })
const leaning = (roleGuidance: number): Sampling => ({ ...GREEDY, roleGuidance })

describe('guidance to the question', () => {
  test.each([
    ['bare', null],
    ['as a role', ROLE],
  ])('%s chooses the tokens that the equation gives in float64', async (_, casting) => {
    const reference = await loadReference(decoder)
    const adapters = casting ? { adapters: referenceAdapters(pack, casting) } : {}
    const answers: number[][] = []
    for (const guidance of [0, 0.5, 6]) {
      const options = { guidance, tokens: 10, ...adapters }
      const expected = guidedReference(reference, [CHAT, BESIDE], options)
      expect(await answer(backbone, guided(guidance), { casting })).toEqual(expected)
      answers.push(expected)
    }
    expect(new Set(answers.map((ids) => ids.join(' '))).size).toBeGreaterThan(1)
  })

  test('of 0 answers as without another reading, to the token, whatever was read before', async () => {
    const fresh = await open()
    const { beside, ...alone } = { beside: BESIDE, ids: CHAT }
    const plain: number[] = []
    const request = { ...alone, casting: ROLE, sampling: GREEDY, maxTokens: 10, stopIds: [] }
    for await (const id of fresh.generate(request)) plain.push(id)
    expect(await answer(fresh, guided(0))).toEqual(plain)
    expect(await answer(fresh, guided(1), { beside })).not.toEqual(plain)
    expect(await answer(fresh, guided(0))).toEqual(plain)
    fresh.destroy()
  })

  test('finds both readings in its cache again, for the same casting only', async () => {
    const drawn = { ...STEADY, guidance: 0.7, seed: 9 }
    const fresh = async (request: Partial<GenerateRequest>): Promise<number[]> => {
      const other = await open()
      const tokens = await answer(other, drawn, request)
      other.destroy()
      return tokens
    }
    const first = await answer(backbone, drawn)
    const next = {
      ids: [...CHAT, ...first, 7, 11, 30, 2],
      beside: [...CHAT, ...first, 7, 5, 31],
      maxTokens: 6,
    }
    for (const request of [{}, next, { ...next, casting: null }, next, {}]) {
      expect(await answer(backbone, drawn, request)).toEqual(await fresh(request))
    }
  })

  test('ends at the context of the longer reading, at a stop token and at the signal', async () => {
    const long = Array.from({ length: backbone.context - 4 }, (_, index) => index % 40)
    expect(await answer(backbone, guided(1), { beside: long, maxTokens: 50 })).toHaveLength(4)
    const [first, second] = await answer(backbone, guided(1))
    expect(await answer(backbone, guided(1), { stopIds: [second!] })).toEqual([first])
    const stop = new AbortController()
    stop.abort()
    expect(await answer(backbone, guided(1), { signal: stop.signal })).toEqual([])
    expect(await answer(backbone, guided(1))).toContain(second)
    const whole = Array.from({ length: backbone.context }, () => 1)
    await expect(answer(backbone, guided(1), { beside: whole })).rejects.toMatchObject({ code: 'usage' })
  })

  test('plays on with a pack that is attached later', async () => {
    const other = await open()
    const before = await answer(other, guided(1))
    await other.attach(null)
    await other.attach(pack)
    expect(await answer(other, guided(1))).toEqual(before)
    other.destroy()
  })

  test('takes room for a second chat, and no more', async () => {
    await answer(backbone, guided(1))
    const { cache } = backbone.gpuBytes()
    const alone = await GpuBackbone.create(await testGpu(), decoder)
    expect(cache).toBe(2 * alone.gpuBytes().cache)
    alone.destroy()
  })
})

describe('guidance by the role', () => {
  test('chooses the tokens that the equation gives in float64, whatever was read before', async () => {
    const reference = await loadReference(decoder)
    const answers: number[][] = []
    for (const guidance of [1, 1.5, 6, 1]) {
      const options = { guidance, tokens: 10, adapters: referenceAdapters(pack, ROLE) }
      const expected = roleGuidedReference(reference, CHAT, options)
      expect(await answer(backbone, leaning(guidance))).toEqual(expected)
      expect(await answer(backbone, guided(1))).not.toEqual(expected)
      answers.push(expected)
    }
    expect(new Set(answers.map((ids) => ids.join(' '))).size).toBe(3)
  })

  test('takes the place of that to the question, and leaves it to whoever plays no role', async () => {
    const both = { ...leaning(2), guidance: 1 }
    expect(await answer(backbone, both)).toEqual(await answer(backbone, leaning(2)))
    expect(await answer(backbone, both, { casting: null })).toEqual(
      await answer(backbone, guided(1), { casting: null }),
    )
  })

  test('goes on in its caches as a fresh reading does, drawn at a seed', async () => {
    const drawn = { ...STEADY, roleGuidance: 1.8, seed: 4 }
    const first = await answer(backbone, drawn)
    const next = { ids: [...CHAT, ...first, 7, 11], maxTokens: 6 }
    const fresh = await open()
    expect(await answer(backbone, drawn, next)).toEqual(await answer(fresh, drawn, next))
    fresh.destroy()
  })
})

describe('the end of an answer', () => {
  test('comes sooner for its bonus, behind a sentence and not before it is long enough', async () => {
    const plain = await answer(backbone, guided(1))
    const sentenceEnds = new Set([plain[3]!])
    const turnEnd = Array.from({ length: decoder.vocabulary }, (_, id) => id).find(
      (id) => !plain.includes(id),
    )!
    const ended = (endAfter: number): Promise<number[]> =>
      answer(backbone, { ...guided(1), endBonus: 100, endAfter }, { stopIds: [turnEnd], sentenceEnds })
    const at = plain.indexOf(plain[3]!)
    expect(await ended(0)).toEqual(plain.slice(0, at + 1))
    expect(await ended(plain.length)).toEqual(plain)
  })
})
