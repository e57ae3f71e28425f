import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { GREEDY } from '../../../src/core/sampling.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import type { Decoder } from '../../../src/model/decoder/decoder.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { loadReference, referenceForward } from '../../reference/decoder.ts'
import { expectClose, nmse } from '../../support/compare.ts'
import { decoderPack, referenceAdapters } from '../../support/decoderPack.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { CHATGLM, GEMMA, tinyConfig, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

/** More than are read at once. */
const IDS = [3, 39, 17, 0, 22, 22, 8, 5, 31, 2, 14, 9, 27, 6, 11, 38, 1, 20, 33, 12, 7]
const ROLE: Casting = { parts: [{ role: 1, weight: 1 }], strength: 1 }
const REPLY = 5

const WINDOWS: TinyOptions = { windowed: 'first', hasLocalTheta: true, masks: 'hidden' }

/** What sets a family apart, and the dispatches that a token takes with it: 23 of a plain decoder of two layers. */
const FAMILIES: readonly (readonly [string, TinyOptions, number])[] = [
  ['norms of each head', { headNorms: 'each', bias: 'last' }, 25],
  ['norms of each head inside of attention', { headNorms: 'inside', linear: 'blocks4' }, 25],
  ['norms of all heads together', { headNorms: 'all', attention: 'written' }, 25],
  ['layers without rotation', { rotated: 'first', attention: 'written' }, 23],
  ['rotation of neighbours', { isInterleaved: true }, 23],
  ['norms behind attention and MLP', { norms: 'behind', headNorms: 'all', bias: 'last' }, 29],
  ['norms before and behind', { norms: 'both', linear: 'blocks4', attention: 'written' }, 27],
  ['multipliers', { multipliers: 'all', headNorms: 'each', attention: 'written' }, 25],
  ['multipliers and a tied head', { multipliers: 'all', embedding: 'tied', linear: 'blocks8' }, 23],
  ['windows', { windowed: 'all', linear: 'blocks4', embedding: 'tied' }, 23],
  ['windows and rotations by layer', { ...WINDOWS, attention: 'written' }, 23],
  ['everything that Gemma 3 has', { ...GEMMA, attention: 'written' }, 29],
  ['rotation of neighbours by slices', { isInterleaved: true, attention: 'written', rotaryDim: 12 }, 23],
  ['everything that ChatGLM2 has', CHATGLM, 23],
  ['rotation of a part', { rotaryDim: 12, attention: 'written' }, 23],
]

async function greedy(backbone: GpuBackbone, ids: readonly number[], casting: Casting | null) {
  const answer: number[] = []
  const request = { ids, casting, sampling: GREEDY, maxTokens: REPLY, stopIds: [] }
  for await (const id of backbone.generate(request)) answer.push(id)
  return answer
}

describe.each(FAMILIES)('a decoder with %s', (_, options, dispatches) => {
  let decoder: Decoder
  let pack: Pack
  let backbone: GpuBackbone

  beforeAll(async () => {
    decoder = await recogniseBytes(writeOnnx(tinyDecoder(options)), tinyConfig(options))
    pack = await decoderPack(decoder)
    backbone = await GpuBackbone.create(await testGpu(), decoder)
    await backbone.attach(pack)
  })
  afterAll(() => backbone.destroy())

  test('gives the logits of the equations, bare and as a role', async () => {
    const reference = await loadReference(decoder)
    const bare = referenceForward(reference, IDS).logits
    const played = referenceForward(reference, IDS, referenceAdapters(pack, ROLE)).logits
    expect(nmse(played, bare)).toBeGreaterThan(1e-3)
    expectClose(await backbone.logits(IDS, null), bare)
    expectClose(await backbone.logits(IDS, ROLE), played)
  })

  test('reads token by token behind a prompt what it reads at once', async () => {
    const whole = await backbone.logits(IDS, ROLE)
    await backbone.logits(IDS.slice(0, 4), ROLE)
    const { vocabulary } = decoder
    for (let at = 4; at < IDS.length; at++) {
      expectClose(await backbone.step(IDS[at]!), whole.subarray(at * vocabulary, (at + 1) * vocabulary))
    }
  })

  test('answers behind a prompt that it has in part what it answers behind a new one', async () => {
    const first = await greedy(backbone, IDS.slice(0, 12), ROLE)
    const longer = [...IDS.slice(0, 12), ...first.slice(0, 2), 19]
    const answer = await greedy(backbone, longer, ROLE)
    await backbone.logits([1, 2], null)
    expect(await greedy(backbone, longer, ROLE)).toEqual(answer)
  })

  test('takes only the dispatches that it needs', () => {
    expect(backbone.dispatchesPerToken()).toBe(dispatches)
  })
})
