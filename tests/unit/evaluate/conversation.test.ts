import { expect, test } from 'vitest'

import {
  CHATS,
  contradictedFacts,
  otherSpeaker,
  repeatsEarlier,
  strangersTo,
  summariseConversation,
} from '../../../src/evaluate/conversation.ts'
import { plainWords } from '../../../src/evaluate/phrases.ts'
import { textOf } from '../../support/documents.ts'

const born = {
  id: 'born',
  fact: 'He was born in Bristol.',
  ask: ['In what town did your mother bear you?', 'Which English city were you born in?'],
  accept: ['bristol'],
  wrong: ['london', 'plymouth'],
}

test('eight lines a chat, of which the data that teaches has single words at most', () => {
  const asked = new Set<string>()
  for (const line of textOf('public/cast/lines.jsonl').split('\n')) {
    if (line === '') continue
    const { questions = [], messages = [] } = JSON.parse(line) as {
      questions?: string[]
      messages?: { role: string; content: string }[]
    }
    const said = messages.filter(({ role }) => role === 'user').map(({ content }) => content)
    for (const text of [...questions, ...said]) asked.add(plainWords(text))
  }
  expect(asked.size).toBeGreaterThan(1000)
  for (const chat of CHATS) expect(chat).toHaveLength(8)
  const lines = CHATS.flat().map(plainWords)
  expect(lines.filter((line) => line.includes(' ') && asked.has(line))).toEqual([])
})

test('a turn repeats an earlier one in its words, or in most of its runs of three', () => {
  const earlier = ['I live in Bristol, at the sign of the Spy-glass.', 'Aye.']
  expect(repeatsEarlier('I live in bristol at the sign of the spy glass', earlier)).toBe(true)
  expect(repeatsEarlier('Well, I live in Bristol, at the sign of the Spy-glass, matey.', earlier)).toBe(true)
  expect(repeatsEarlier('Aye!', earlier)).toBe(true)
  expect(repeatsEarlier('I live by the sea, and the sign is an anchor.', earlier)).toBe(false)
  expect(repeatsEarlier('I live in.', earlier)).toBe(false)
  expect(repeatsEarlier('Anything.', [])).toBe(false)
})

const against = (said: string, answer: string) => contradictedFacts(said, answer, [born])

test('a turn contradicts a fact that it, or the question, speaks of', () => {
  expect(against('Where were you born?', 'In London, matey.')).toEqual(['born'])
  expect(against('Tell me of yourself.', 'I was born in Plymouth.')).toEqual(['born'])
  expect(against('Tell me of yourself.', 'I have sailed to Plymouth.')).toEqual([])
  expect(against('Where were you born?', 'In Bristol, not in London.')).toEqual([])
  expect(against('Where were you born?', 'By the sea.')).toEqual([])
})

test('a turn names another where it says a stranger’s name, or speaks for somebody', () => {
  expect(otherSpeaker('Hello.', 'I am Alice, if you please.', ['Alice'])).toBe('Alice')
  expect(otherSpeaker('Do you know Alice?', 'I know Alice well.', ['Alice'])).toBeNull()
  expect(otherSpeaker('Hello.', 'Malice, and alice.', ['Alice'])).toBeNull()
  expect(otherSpeaker('Hello.', 'Hello.\nUser: And you?', [])).toBe('User')
  expect(otherSpeaker('Hello.', 'Dr Watson: Good day.', [])).toBe('Dr Watson')
  expect(otherSpeaker('Hello.', 'Here is a riddle: what has leaves? Only one: a book.', [])).toBeNull()
})

test('nobody is a stranger who is in a role’s own world', () => {
  const sheets = new Map([
    ['Queen Elizabeth I', { facts: [], names: ['Elizabeth'] }],
    ['Elizabeth Bennet', { facts: [], names: ['Bennet'] }],
    ['Silver', { facts: [born, { ...born, wrong: ['Caesar'] }], names: ['Silver'] }],
    ['Caesar', { facts: [], names: ['Caesar'] }],
  ])
  expect(strangersTo('Elizabeth Bennet', sheets)).toEqual(['Silver', 'Caesar'])
  expect(strangersTo('Silver', sheets)).toEqual(['Elizabeth', 'Bennet'])
})

test('shares are of turns', () => {
  const turn = { said: 'a', answer: 'b', repeats: false, contradicts: [], names: null }
  const turns = [
    turn,
    { ...turn, repeats: true },
    { ...turn, contradicts: ['x', 'y'] },
    { ...turn, names: 'Z' },
  ]
  expect(summariseConversation([{ role: 'A', turns }])).toMatchObject({
    repeats: 0.25,
    contradicts: 0.25,
    names: 0.25,
    turns: 4,
  })
})
