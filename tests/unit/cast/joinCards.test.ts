import { expect, test } from 'vitest'

import { scriptOf } from '../../../src/cast/cardScript.ts'
import { joinCards } from '../../../src/cast/joinCards.ts'
import type { Joining } from '../../../src/cast/joinCards.ts'
import { readCard } from '../../../src/formats/card.ts'

const ada = readCard({
  name: 'Ada',
  description: '{{char}} counts, and {{user}} watches.',
  scenario: 'A loom.',
  extensions: { depth_prompt: { prompt: '{{char}} is tired.', depth: 2, role: 'user' } },
})
const grace = readCard({ name: 'Grace', description: 'Finds moths.', mes_example: '{{char}}: Found one.' })
const orla = readCard({ name: 'Orla', description: 'Keeps a light.', personality: 'Dry.' })
const ALL: readonly Joining[] = [
  { card: ada, name: 'Ada', isMuted: false, isSpeaking: false },
  { card: grace, name: 'Grace', isMuted: false, isSpeaking: true },
  { card: orla, name: 'Orla', isMuted: true, isSpeaking: false },
  { card: null, name: 'Bram', isMuted: false, isSpeaking: false },
]
const PLAIN = { isWithMuted: false, prefix: '', suffix: '', isTrained: false }
const VALUES = { user: 'Anna', seed: 3 }

test('tells the cards of all who are not muted, each text under its own name', () => {
  expect(joinCards(ALL, PLAIN, VALUES)).toEqual({
    texts: {
      description: 'Ada counts, and Anna watches.\nFinds moths.',
      scenario: 'A loom.',
      examples: 'How Grace talks:\nGrace: Found one.',
    },
    notes: [{ kind: 'depthPrompt', text: 'Ada is tired.', depth: 2, speaker: 'user' }],
  })
})

test('tells those of the muted too where the group says so, or where they speak', () => {
  const { texts } = joinCards(ALL, { ...PLAIN, isWithMuted: true }, VALUES)
  expect([texts.description, texts.personality]).toEqual([
    'Ada counts, and Anna watches.\nFinds moths.\nKeeps a light.',
    'Dry.',
  ])
  const spoken = ALL.map((one) => ({ ...one, isSpeaking: one.name === 'Orla' }))
  expect(joinCards(spoken, PLAIN, VALUES).texts.description).toMatch(/Keeps a light\.$/)
})

test('puts prefix and suffix around each text, the name and the field filled in', () => {
  const { texts } = joinCards(
    ALL,
    { ...PLAIN, prefix: '<{{char}} <fieldname>>', suffix: '</<FIELDNAME>>$&' },
    VALUES,
  )
  expect(texts.description).toBe(
    '<Ada Description>Ada counts, and Anna watches.</Description>$&\n<Grace Description>Finds moths.</Description>$&',
  )
  expect(texts.examples).toMatch(/^<Grace Example Messages>How Grace talks:/)
})

test('leaves out the card of whoever is played by weights, who are told of the others', () => {
  const { texts } = joinCards(ALL, { ...PLAIN, isTrained: true }, VALUES)
  expect(texts).toEqual({ description: 'Ada counts, and Anna watches.', scenario: 'A loom.' })
})

test('stands in a script in place of the card’s own texts, filled once, and yields to the scene', () => {
  const odd = readCard({ name: 'Odd', description: '{{char}} is here.' })
  const together = joinCards(
    [{ card: odd, name: '{{user}}', isMuted: false, isSpeaking: false }, ...ALL],
    PLAIN,
    VALUES,
  )
  const facts = {
    names: { user: 'Anna', character: 'Grace' },
    seed: 3,
    greeting: null,
    occasion: 'next',
    isTrained: false,
    note: null,
    facts: [],
    books: [],
  } as const
  const { texts, notes } = scriptOf(grace, { ...facts, together, scene: 'A ship.' })
  expect(texts.description).toBe('{{user}} is here.\nAda counts, and Anna watches.\nFinds moths.')
  expect(texts.scenario).toBe('A ship.')
  expect(notes.map(({ text }) => text)).toEqual(['Ada is tired.'])
  expect(scriptOf(grace, { ...facts, together: null }).texts.description).toBe('Finds moths.')
})
