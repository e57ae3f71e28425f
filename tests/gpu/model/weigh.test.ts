import { resolve } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { folder, fileSource } from '../../../src/cli/files.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { castRole } from '../../../src/model/adapter/roles.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import type { ChatModel } from '../../../src/model/chatModel.ts'
import type { Casting } from '../../../src/model/decoder/backbone.ts'
import { nextLogits } from '../../../src/model/decoder/nextLogits.ts'
import { GpuBackbone } from '../../../src/model/gpu/gpuBackbone.ts'
import { promptFor } from '../../../src/play/speak.ts'
import type { Cue, Voice } from '../../../src/play/speak.ts'
import { likeliestAt, weighWords } from '../../../src/play/weigh.ts'
import { testGpu } from '../../support/device.ts'

const shipped = resolve(import.meta.dirname, '../../../public')
const cue: Cue = {
  system: 'You are Alice. Stay in character.',
  turns: [{ speaker: 'user', text: 'What do you fear?' }],
}
const TEXT = 'I fear the Queen, for she has no head for heads.'

let model: ChatModel
let backbone: GpuBackbone
let alice: Casting
let voice: Voice

beforeAll(async () => {
  model = await openChatModel(folder(resolve(shipped, 'models/starter')), { model: 'onnx/model_fp16.onnx' })
  backbone = await GpuBackbone.create(await testGpu(), model.decoder)
  const pack = await readPack(await fileSource(resolve(shipped, 'packs/starter.hycora.safetensors')))
  await backbone.attach(pack)
  alice = castRole(pack, 'Alice', 1)
  voice = { name: 'Starter', model, backbone }
})

afterAll(() => backbone.destroy())

/** Ids of prompt and text, the text's own encoded by themselves, and the logits of all. */
async function wholeText(casting: Casting | null) {
  const prompt = promptFor(voice, cue).ids
  const words = model.tokenizer!.encode(TEXT)
  const ids = [...prompt, ...words]
  const { vocabulary } = backbone.shape
  const logits = await backbone.logits(ids, casting)
  const rowBefore = (index: number): Float64Array =>
    Float64Array.from(logits.subarray((index - 1) * vocabulary, index * vocabulary))
  return { prompt, words, ids, rowBefore }
}

/** softmax in float64 */
function softmax(row: Float64Array): Float64Array {
  const highest = row.reduce((a, b) => Math.max(a, b))
  const powers = row.map((value) => Math.exp(value - highest))
  const sum = powers.reduce((a, b) => a + b)
  return powers.map((value) => value / sum)
}

test.each(['Alice', 'nobody'])(
  'weighs every word of a text as the logits of the chat do: %s',
  async (who) => {
    const casting = who === 'Alice' ? alice : null
    const { prompt, words, rowBefore } = await wholeText(casting)
    const pieces = await weighWords(voice, cue, TEXT, casting)
    expect(pieces.map(({ text }) => text).join('')).toBe(TEXT)
    expect(pieces).toHaveLength(words.length)
    for (const [index, { logProbability }] of pieces.entries()) {
      const probability = softmax(rowBefore(prompt.length + index))[words[index] ?? 0] ?? 0
      expect(logProbability).toBeCloseTo(Math.log(probability), 4)
    }
  },
)

test('weighs the words alone where what stands before them is cut, and notes stand among the messages', async () => {
  const noted: Cue = {
    system: 'I keep the light and know the sea. '.repeat(200),
    turns: cue.turns,
    asides: [{ index: 1, role: 'system', text: 'It rains.' }],
  }
  const pieces = await weighWords(voice, noted, TEXT, alice)
  expect(pieces.map(({ text }) => text).join('')).toBe(TEXT)
})

test('somebody who plays makes other words likely than the bare model', async () => {
  const own = await weighWords(voice, cue, TEXT, alice)
  const bare = await weighWords(voice, cue, TEXT, null)
  expect(own.map(({ logProbability }) => logProbability)).not.toEqual(
    bare.map(({ logProbability }) => logProbability),
  )
})

test('names the likeliest words of a place in their order, whatever was read before', async () => {
  const { prompt, rowBefore } = await wholeText(alice)
  for (const piece of [0, 4]) {
    const probabilities = softmax(rowBefore(prompt.length + piece))
    const best = [...probabilities.keys()]
      .toSorted((a, b) => (probabilities[b] ?? 0) - (probabilities[a] ?? 0))
      .slice(0, 5)
    const found = await likeliestAt(voice, cue, { text: TEXT, piece, most: 5 }, alice)
    expect(found.map(({ text }) => text)).toEqual(best.map((id) => model.tokenizer!.decode([id])))
    for (const [index, { probability }] of found.entries())
      expect(probability).toBeCloseTo(probabilities[best[index] ?? 0] ?? 0, 4)
  }
})

test('logits behind a text are those of its last row, with a cache that holds more, less or nothing of it', async () => {
  const { ids, rowBefore } = await wholeText(alice)
  for (const length of [ids.length, 1, 12, 11]) {
    const found = await nextLogits(backbone, ids.slice(0, length), alice)
    const wanted = rowBefore(length)
    for (const [index, value] of found.entries())
      expect(Math.abs(value - (wanted[index] ?? 0))).toBeLessThan(1e-3)
  }
})

test('says that there are no words, and of a place that the text has not', async () => {
  await expect(weighWords(voice, cue, '', alice)).rejects.toThrow('there are no words to weigh')
  await expect(likeliestAt(voice, cue, { text: 'No.', piece: 90, most: 5 }, alice)).rejects.toThrow(
    'there is none of number 90',
  )
})
