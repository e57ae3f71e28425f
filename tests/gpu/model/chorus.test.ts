import { resolve } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { GREEDY, STEADY } from '../../../src/core/sampling.ts'
import type { Sampling } from '../../../src/core/sampling.ts'
import { readPack } from '../../../src/formats/pack.ts'
import type { Pack } from '../../../src/formats/pack.ts'
import { castBlend, castRole } from '../../../src/model/adapter/roles.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { ChatModel } from '../../../src/model/chatModel.ts'
import type { Backbone, Casting } from '../../../src/model/decoder/backbone.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { speak, wholeAnswer } from '../../../src/play/speak.ts'
import type { Answer, Voice } from '../../../src/play/speak.ts'
import { speakTogether } from '../../../src/play/speakTogether.ts'
import type { Speaking } from '../../../src/play/speakTogether.ts'
import { testGpu } from '../../support/device.ts'

const shipped = resolve(import.meta.dirname, '../../../public')
const never = new AbortController().signal

let model: ChatModel
let pack: Pack
let backbone: GpuBackbone
let voice: Voice

beforeAll(async () => {
  model = await openChatModel(folder(resolve(shipped, 'models/starter')), { model: 'onnx/model_fp16.onnx' })
  backbone = await GpuBackbone.create(await testGpu(), model.decoder)
  pack = await readPack(await fileSource(resolve(shipped, 'packs/starter.hycora.safetensors')))
  await backbone.attach(pack)
  voice = { name: 'Starter', model, backbone }
})
afterAll(() => backbone.destroy())

const asked = (
  casting: Casting | null,
  sampling: Sampling,
  { question = 'What do you think of the sea?', maxTokens = 12 } = {},
): Speaking => ({
  cue: { system: 'You are somebody.', turns: [{ speaker: 'user', text: question }] },
  delivery: { casting, sampling, maxTokens },
})

const drawn = (seed: number, guidance = 0): Sampling => ({ ...STEADY, seed, guidance })

/** The pieces of each, and how it ended. */
async function together(all: readonly Speaking[], on: Voice = voice, signal = never) {
  const texts = all.map(() => '')
  const speech = speakTogether(on, all, signal)
  for (;;) {
    const { done, value } = await speech.next()
    if (done) return { texts, answers: value }
    texts[value.speaking] += value.piece.text
  }
}

function alone(all: readonly Speaking[]): Promise<Answer[]> {
  return all.reduce<Promise<Answer[]>>(
    async (before, { cue, delivery }) => [...(await before), await wholeAnswer(speak(voice, cue, delivery))],
    Promise.resolve([]),
  )
}

test('eight at once say to the token what each says alone, greedy', async () => {
  const roles = pack.roles.slice(0, 8).map(({ name }) => castRole(pack, name, 1))
  const all = roles.map((casting) => asked(casting, GREEDY))
  const { texts, answers } = await together(all)
  const expected = await alone(all)
  expect(answers).toEqual(expected)
  expect(texts.map((text) => text.trim())).toEqual(expected.map(({ text }) => text.trim()))
  expect(new Set(texts).size).toBeGreaterThan(4)
})

test('and drawn at seeds of their own, with guidance of either kind and without, of other strengths, lengths and prompts', async () => {
  const [one = '', other = ''] = pack.roles.map(({ name }) => name)
  const all = [
    asked(castRole(pack, one, 1), drawn(1)),
    asked(castRole(pack, one, 1), drawn(2, 0.5)),
    asked(castRole(pack, one, 0.5), drawn(1)),
    asked(null, drawn(3)),
    asked(castRole(pack, other, 1), drawn(1, 0.5), { maxTokens: 1 }),
    asked(
      castBlend(
        pack,
        [
          { role: one, weight: 0.6 },
          { role: other, weight: 0.4 },
        ],
        1,
      ),
      drawn(9),
    ),
    asked(castRole(pack, other, 1.2), drawn(5), {
      question: `Tell me of the sea. ${'The sea is wide. '.repeat(30)}`,
    }),
    asked(castRole(pack, other, 1), { ...drawn(5, 0.5), roleGuidance: 2, endBonus: 2, endAfter: 4 }),
  ]
  const { answers } = await together(all)
  expect(answers).toEqual(await alone(all))
  expect(answers[4]?.tokens).toHaveLength(1)
})

test('one after the other where the engine cannot read several texts at once, with the same answers', async () => {
  const all = pack.roles.slice(0, 2).map(({ name }) => asked(castRole(pack, name, 1), GREEDY))
  const plain: Backbone = {
    shape: backbone.shape,
    context: backbone.context,
    affordsGuidance: true,
    gpuBytes: () => backbone.gpuBytes(),
    attach: (one) => backbone.attach(one),
    logits: (ids, casting) => backbone.logits(ids, casting),
    step: (id) => backbone.step(id),
    generate: (request) => backbone.generate(request),
    destroy: () => backbone.destroy(),
  }
  const { answers } = await together(all, { ...voice, backbone: plain })
  expect(answers).toEqual((await together(all)).answers)
})

test('stopped, it gives what was said', async () => {
  const controller = new AbortController()
  const all = pack.roles.slice(0, 3).map(({ name }) => asked(castRole(pack, name, 1), GREEDY))
  const speech = speakTogether(voice, all, controller.signal)
  for (let count = 0; count < 4; count++) await speech.next()
  controller.abort()
  let last = await speech.next()
  while (!last.done) last = await speech.next()
  expect(last.value.map((answer) => answer?.stop)).toEqual(['cancelled', 'cancelled', 'cancelled'])
  expect(last.value.every((answer) => (answer?.tokens.length ?? 0) > 0)).toBe(true)
})

test('more castings than there is room for do not sing', async () => {
  const castings = Array.from({ length: 17 }, (_, index): Casting => ({
    parts: [{ role: 0, weight: 1 + index }],
    strength: 1,
  }))
  expect(await backbone.openChorus({ castings, capacity: 64 })).toBeNull()
  expect(await backbone.openChorus({ castings: [null], capacity: backbone.context + 1 })).toBeNull()
})
