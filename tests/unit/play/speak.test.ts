import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { inEnglish } from '../../../src/core/remarkTexts.ts'
import { GREEDY } from '../../../src/core/sampling.ts'
import { loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import { sentenceEndsOf } from '../../../src/play/sentenceEnds.ts'
import { promptFor, promptsFor, speak, utter, wholeAnswer } from '../../../src/play/speak.ts'
import type { Voice } from '../../../src/play/speak.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const root = resolve(import.meta.dirname, '../../../public/models/starter')
const json = (name: string): unknown => JSON.parse(readFileSync(resolve(root, name), 'utf8'))
const tokenizer = loadTokenizer(json('tokenizer.json'), json('tokenizer_config.json'))
const template = loadChatTemplate(json('tokenizer_config.json'))
const vocabulary = tokenizer.vocabularySize

const hello = [{ speaker: 'user' as const, text: 'Hello.' }]
const cue = { system: 'You are Ada.', turns: hello }
const delivery = { casting: null, sampling: GREEDY, maxTokens: 64 }

const aside = (index: number, text: string) => ({ index, role: 'system' as const, text })

function voiceSaying(text: string, context = 512): Voice & { readonly backbone: ToyBackbone } {
  const backbone = new ToyBackbone({ favoured: [], answers: [tokenizer.encode(text)], vocabulary, context })
  return { name: 'toy', backbone, model: { fingerprint: '', tokenizer, template, stopIds: [] } }
}

describe('an answer', () => {
  test('comes in pieces that make the whole', async () => {
    const speech = speak(voiceSaying('The sea is calm, “café” and all.'), cue, delivery)
    let text = ''
    let next = await speech.next()
    for (; !next.done; next = await speech.next()) text += next.value.text
    expect(next.value).toMatchObject({ text: 'The sea is calm, “café” and all.', stop: 'end' })
    expect(next.value.text.startsWith(text)).toBe(true)
  })

  test('goes on behind what was said before it was interrupted', async () => {
    const voice = voiceSaying(' and the ship is gone.')
    const said = tokenizer.encode('The sea is calm')
    const answer = await wholeAnswer(speak(voice, cue, { ...delivery, said }))
    expect(answer.text).toBe('The sea is calm and the ship is gone.')
    const [prompt] = voice.backbone.prompts
    expect(tokenizer.decode([...prompt!])).toMatch(/assistant\nThe sea is calm$/)
  })

  test('has no more tokens than it may, those before an interruption among them', async () => {
    const voice = voiceSaying(' and the ship is gone.')
    const said = tokenizer.encode('The sea is calm')
    const maxTokens = said.length + 2
    const answer = await wholeAnswer(speak(voice, cue, { ...delivery, maxTokens, said }))
    expect(answer.tokens).toHaveLength(maxTokens)
  })

  test('ends before a string that it was told to end before, and reads no further', async () => {
    const voice = voiceSaying('The sea is calm.\nAnna: And then? And then? And then?')
    const stops = ['\nAnna:']
    const speech = speak(voice, cue, { ...delivery, stops })
    let text = ''
    let next = await speech.next()
    for (; !next.done; next = await speech.next()) text += next.value.text
    expect(text).toBe('The sea is calm.')
    expect(next.value).toMatchObject({ text: 'The sea is calm.', stop: 'stop' })
    expect(next.value.tokens.length).toBeLessThan(
      tokenizer.encode('The sea is calm.\nAnna: And then?').length,
    )
  })

  test('ends before such a string across an interruption', async () => {
    const said = tokenizer.encode('The sea is calm.\nAn')
    const rest = 'na: And then? And then?'
    const answer = await wholeAnswer(speak(voiceSaying(rest), cue, { ...delivery, said, stops: ['\nAnna:'] }))
    expect(answer).toMatchObject({ text: 'The sea is calm.', stop: 'stop' })
    expect(answer.tokens.length).toBeLessThan(said.length + tokenizer.encode(rest).length)
  })

  test('that goes round in circles ends where it began to', async () => {
    const answer = await wholeAnswer(
      speak(voiceSaying(`Well. ${'No more of that. '.repeat(12)}`), cue, delivery),
    )
    expect(answer.stop).toBe('loop')
    expect(answer.text).toBe('Well. No more of that')
  })

  test.each([
    '<think>\nWho is it? <b>\n</think>\n\nHello, you.',
    '<|channel|>analysis<|message|>Who is it?<|end|><|start|>assistant<|channel|>final<|message|>Hello, you.',
  ])('says nothing of what the model thinks, as it comes and in the end: %j', async (heard) => {
    const speech = speak(
      voiceSaying(heard),
      { system: null, turns: [...hello, { speaker: 'role', text: '<think>No.</think>Oh?' }, ...hello] },
      delivery,
    )
    const pieces: string[] = []
    let next = await speech.next()
    for (; !next.done; next = await speech.next()) pieces.push(next.value.text)
    expect(pieces.join('')).toBe('Hello, you.')
    expect(next.value.text).toBe('Hello, you.')
    expect(next.value.tokens.length).toBe(pieces.length)
  })

  test('is asked for without what was thought before', () => {
    const turns = [
      ...hello,
      { speaker: 'role' as const, text: '<think>\nNo.\n</think>\n\nOh?' },
      ...hello,
      {
        speaker: 'role' as const,
        text: '<|channel|>analysis<|message|>No.<|end|><|start|>assistant<|channel|>final<|message|>Ah?',
      },
      { speaker: 'user' as const, text: 'Tell me of <think>.' },
    ]
    const { text } = promptFor(voiceSaying(''), { system: null, turns })
    expect(text).toContain('assistant\nOh?<|im_end|>')
    expect(text).toContain('assistant\nAh?<|im_end|>')
    expect(text).toContain('Tell me of <think>.')
  })

  test('can follow any tokens', async () => {
    const voice = voiceSaying('mat.')
    const ids = tokenizer.encode('The cat sat on the ')
    expect((await wholeAnswer(utter(voice, ids, delivery))).text).toBe('mat.')
    expect(voice.backbone.prompts).toEqual([ids])
  })
})

describe('what an answer is led away from', () => {
  const turns = [
    { speaker: 'user' as const, text: 'Hello.' },
    { speaker: 'role' as const, text: 'Good day.' },
    { speaker: 'user' as const, text: 'Have you a cat?' },
  ]

  test('is the same chat with another last message of the visitor’s', () => {
    const voice = voiceSaying('')
    const { prompt, beside } = promptsFor(voice, { ...cue, turns })
    expect(beside?.text).toBe(prompt.text.replace('Have you a cat?', 'Go on.'))
    expect(beside?.ids).toEqual(tokenizer.encode(beside!.text))
    const carried = {
      ...cue,
      turns: [...turns, { speaker: 'role' as const, text: 'I have' }],
      continueLast: true,
    }
    expect(promptsFor(voice, carried).beside?.text).toMatch(/Go on\.[^]*I have$/)
  })

  test('is nothing where there is nothing to replace', () => {
    const voice = voiceSaying('')
    const greeting = { speaker: 'role' as const, text: 'Good day.' }
    expect(promptsFor(voice, { system: null, turns: [greeting] }).beside).toBeNull()
    const said = { speaker: 'user' as const, text: 'Go on.' }
    expect(promptsFor(voice, { system: null, turns: [greeting, said] }).beside).toBeNull()
  })

  test('is read beside the prompt, both with what was said before', async () => {
    const voice = voiceSaying(' of sea.')
    const said = tokenizer.encode('A drop')
    const sampling = { ...GREEDY, guidance: 0.5, endBonus: 1, endAfter: 5 }
    await wholeAnswer(speak(voice, { ...cue, turns }, { ...delivery, sampling, said }))
    const [request] = voice.backbone.requests
    expect(tokenizer.decode([...request!.beside!])).toMatch(/Go on\.[^]*A drop$/)
    expect(request!.sampling.endAfter).toBe(5 - said.length)
    expect([...request!.sentenceEnds!].map((id) => tokenizer.decode([id]))).toContain('.')
  })

  test('a text ends a sentence by its mark, whatever closes behind it', () => {
    const ends = sentenceEndsOf(tokenizer)
    const endings = (text: string): boolean => ends.has(tokenizer.encode(text).at(-1)!)
    expect(['Yes.', 'Oh!', 'Who?', '"So."'].map(endings)).toEqual([true, true, true, true])
    expect(['Yes,', 'so', '"'].map(endings)).toEqual([false, false, false])
    expect(sentenceEndsOf(tokenizer)).toBe(ends)
  })
})

describe('a prompt', () => {
  const turns = Array.from({ length: 40 }, (_, index) => ({
    speaker: index % 2 === 0 ? ('user' as const) : ('role' as const),
    text: `This is the line number ${index} of a very long talk.`,
  })).slice(0, 39)

  test('leaves the answer what it may have, and no more than a quarter of the context', () => {
    const voice = voiceSaying('', 256)
    expect(promptFor(voice, { system: null, turns }, 16).ids.length).toBeGreaterThan(192)
    expect(promptFor(voice, { system: null, turns }, 16).ids.length).toBeLessThanOrEqual(240)
    expect(promptFor(voice, { system: null, turns }, 200).ids.length).toBeLessThanOrEqual(192)
    expect(promptFor(voice, { system: null, turns }).firstTurn).toBeGreaterThan(0)
  })

  test('cuts a system text that would fill it, so that the chat finds room', () => {
    const { text, firstTurn } = promptFor(voiceSaying('', 128), {
      system: 'I am long. '.repeat(99),
      turns: hello,
    })
    expect(firstTurn).toBe(0)
    expect(text).toContain('Hello.')
  })

  test('has among its turns what goes there, before the first of them where that is cut', () => {
    const asides = [aside(1, 'A note.'), aside(3, 'At the end.'), aside(1, 'Another.')]
    const three = turns.slice(0, 3)
    const { text } = promptFor(voiceSaying(''), { system: null, turns: three, asides })
    expect(text.match(/A note\.|Another\.|At the end\.|line number \d/g)).toEqual([
      'line number 0',
      'A note.',
      'Another.',
      'line number 1',
      'line number 2',
      'At the end.',
    ])
    const cut = promptFor(voiceSaying('', 256), { system: null, turns, asides: [aside(0, 'A note.')] })
    expect(cut.firstTurn).toBeGreaterThan(0)
    expect(cut.text.indexOf('A note.')).toBeLessThan(cut.text.indexOf(`number ${cut.firstTurn} `))
    expect(cut.ids.length).toBeLessThanOrEqual(192)
  })

  test('is carried on behind what stands at its end', () => {
    const two = [turns[0]!, { speaker: 'role' as const, text: 'The lamp' }]
    const carried = { system: null, turns: two, continueLast: true, asides: [aside(1, 'A note.')] }
    expect(promptFor(voiceSaying(''), carried).text).toMatch(/number 0[^]*A note\.[^]*The lamp$/)
  })

  test('has what the visitor says last, whatever else there is, and tells what gave way', () => {
    const voice = voiceSaying('', 256)
    const long = [{ speaker: 'user' as const, text: 'One word more. '.repeat(35).trim() }]
    const system = 'I am long. '.repeat(99)
    const { prompt, leftOut } = promptsFor(voice, {
      system,
      turns: long,
      asides: [aside(0, 'A note. '.repeat(9))],
    })
    expect(prompt.text).toContain(long[0]!.text)
    expect(prompt.text).not.toContain('A note.')
    expect(leftOut.map(inEnglish)).toEqual([
      'The text before the chat is too long: its end is left out.',
      'There is no room for what goes among the messages.',
    ])
    expect(
      promptsFor(voice, { system: 'I am short.', turns: hello, asides: [aside(0, 'A note.')] }).leftOut.map(
        inEnglish,
      ),
    ).toEqual([])
  })

  test('needs a tokenizer and a template', () => {
    const voice = voiceSaying('')
    const bare = { ...voice, model: { ...voice.model, template: null } }
    expect(() => promptFor(bare, cue)).toThrow(expect.objectContaining({ code: 'format-invalid' }))
  })
})
