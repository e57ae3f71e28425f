import { describe, expect, test } from 'vitest'

import {
  exampleJson,
  greetingsOf,
  lineOf,
  nameOf,
  unknownIn,
  wholeText,
} from '../../../src/cast/cardTexts.ts'
import { readCard } from '../../../src/formats/card.ts'

const FULL = readCard({
  name: 'Ada',
  description: '{{char}} meets {{user}}.',
  personality: 'Curious',
  scenario: 'A <USER> asks <BOT>.',
  first_mes: 'Hello, {{User}}.',
  mes_example: '<START>\n{{user}}: Hi\n{{char}}: $& Hi',
  system_prompt: 'You are <char>.',
  alternate_greetings: ['Hi', 7, ' ', 'Hey'],
})

describe('the whole text', () => {
  test('joins the parts in order with the names filled in', () => {
    expect(wholeText(FULL, 'Grace')).toBe(
      'You are Ada.\n\nAda meets Grace.\n\nCurious\n\nA Grace asks Ada.\n\n<START>\nGrace: Hi\nAda: $& Hi',
    )
  })

  test('leaves out empty parts, and what stands for another prompt', () => {
    expect(wholeText(readCard({ name: 'Ada', personality: ' \n', scenario: 'Here' }), 'Grace')).toBe('Here')
    expect(wholeText(readCard({ name: 'Ada' }), 'Grace')).toBe('')
    expect(wholeText(readCard({ name: 'Ada', system_prompt: 'Be kind. {{original}}' }), 'Grace')).toBe(
      'Be kind. ',
    )
  })
})

test('a nickname stands for the name', () => {
  const card = readCard({ name: 'Ada', nickname: 'Countess', description: '{{char}} reckons.' })
  expect(nameOf(card)).toBe('Countess')
  expect(lineOf(card, { user: 'Grace' })).toBe('You are Countess. Countess reckons. Speak only as Countess.')
})

test('macros that are not known are named, wherever they stand', () => {
  const character_book = { entries: { 0: { keys: ['x'], content: '{{lorebook}} {{char}}' }, 1: null } }
  const card = readCard({
    name: 'Ada',
    first_mes: '{{getvar::x}}',
    system_prompt: '{{original}}',
    character_book,
  })
  expect(unknownIn(card)).toEqual(['{{getvar}}', '{{lorebook}}'])
  expect(unknownIn(FULL)).toEqual([])
})

test('blank greetings are none', () => {
  expect(greetingsOf(FULL)).toEqual(['Hello, {{User}}.', 'Hi', 'Hey'])
  expect(greetingsOf(readCard({ name: 'Ada', first_mes: ' ' }))).toEqual([])
  const notes = ['{{// to myself}}\n', 'Hi {{user}}', '{{user}}']
  expect(greetingsOf(readCard({ name: 'Ada', alternate_greetings: notes }))).toEqual(notes.slice(1))
})

test('example dialogue goes on as a card of its own, where there is some', () => {
  expect(JSON.parse(exampleJson(FULL) ?? '')).toEqual({
    name: 'Ada',
    nickname: '',
    mes_example: FULL.exampleMessages,
  })
  expect(exampleJson(readCard({ name: 'Ada' }))).toBeNull()
})
