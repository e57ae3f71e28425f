import { describe, expect, test } from 'vitest'

import { inEnglish } from '../../../src/core/remarkTexts.ts'
import { partsOf, scriptOf, systemPromptOf } from '../../../src/cast/cardScript.ts'
import type { ScriptFacts } from '../../../src/cast/cardScript.ts'
import { readCard } from '../../../src/formats/card.ts'

const FULL = readCard({
  name: 'Ada',
  description: '{{char}} meets {{user}}.',
  personality: 'Curious',
  scenario: 'A <USER> asks <BOT>.',
  mes_example: '<START>\n{{user}}: Hi\n{{char}}: $& Hi',
  system_prompt: 'You are <char>.',
  post_history_instructions: '{{original}} Stay brief, {{char}}.',
  tags: ['maths'],
  creator_notes: 'For people.',
  character_book: { entries: [{ keys: ['engine'], content: 'It turns.' }] },
  extensions: { depth_prompt: { prompt: '{{char}} frowns.', depth: 2, role: 'assistant' } },
})
const facts: ScriptFacts = {
  names: { user: 'Grace', character: 'Ada' },
  seed: 1,
  greeting: 0,
  occasion: 'next',
  isTrained: false,
  note: null,
  facts: [],
  books: [],
}

describe('the first line before a whole card', () => {
  const values = { user: 'Grace', character: 'Ada' }

  test('is the card’s own, or the page’s, or one that takes that up', () => {
    const own = 'You are Ada, in a chat with Grace. Answer as Ada and as nobody else.'
    expect(systemPromptOf(FULL, values)).toBe('You are Ada.')
    expect(systemPromptOf(readCard({ name: 'Ada' }), values)).toBe(own)
    expect(systemPromptOf(readCard({ name: 'Ada', system_prompt: '{{original}} Rhyme.' }), values)).toBe(
      `${own} Rhyme.`,
    )
  })
})

describe('the script of a card', () => {
  test('has its texts, notes and lorebook, the macros filled', () => {
    expect(scriptOf(FULL, facts)).toEqual({
      names: facts.names,
      seed: 1,
      greeting: 0,
      occasion: 'next',
      tags: ['maths'],
      texts: {
        description: 'Ada meets Grace.',
        personality: 'Curious',
        scenario: 'A Grace asks Ada.',
        examples: 'How Ada talks:\n<START>\nGrace: Hi\nAda: $& Hi',
      },
      notes: [
        { kind: 'depthPrompt', text: 'Ada frowns.', depth: 2, speaker: 'role' },
        { kind: 'postHistory', text: 'Stay brief, Ada.', depth: 0, speaker: 'system' },
      ],
      books: [{ name: 'Ada’s lorebook', book: { entries: [{ keys: ['engine'], content: 'It turns.' }] } }],
      creatorNotes: 'For people.',
    })
  })

  test('does not say who somebody is whom weights play', () => {
    const { texts, notes, books } = scriptOf(FULL, { ...facts, isTrained: true })
    expect(texts).toEqual({})
    expect([notes.length, books.length]).toEqual([2, 1])
  })

  test('says who the visitor is, for whoever plays, and names it where nobody is told', () => {
    const names = { ...facts.names, persona: 'Grace flies.' }
    for (const isTrained of [false, true]) {
      const script = scriptOf(FULL, { ...facts, names, isTrained })
      expect(script.texts.persona).toBe('About Grace:\nGrace flies.')
      expect(partsOf(script)[0]?.code).toBe('part.persona')
    }
    const card = readCard({ name: 'Ada', scenario: '{{persona}} {{char}} waits.' })
    expect(scriptOf(card, { ...facts, names }).texts.scenario).toBe('Grace flies. Ada waits.')
    expect(scriptOf(card, facts).texts).toEqual({ scenario: 'Ada waits.' })
  })

  test('has what the visitor wants kept in mind, and the note, for whoever plays', () => {
    const told = {
      note: { text: '{{char}} limps.', depth: 1 },
      facts: ['{{user}} came by cab.', 'It rains.'],
      recap: ' {{user}} has asked for tea. ',
    }
    for (const isTrained of [false, true]) {
      const script = scriptOf(FULL, { ...facts, ...told, isTrained })
      expect(script.texts.memory).toBe('To be kept in mind:\n- Grace came by cab.\n- It rains.')
      expect(script.texts.recap).toBe('What happened before:\nGrace has asked for tea.')
      expect(script.notes.map(({ kind, text, depth }) => [kind, text, depth])).toEqual([
        ['depthPrompt', 'Ada frowns.', 2],
        ['authorsNote', 'Ada limps.', 1],
        ['postHistory', 'Stay brief, Ada.', 0],
      ])
      expect(partsOf(script).map(inEnglish)).toEqual([
        'what is to be kept in mind',
        'what happened so far',
        'Ada’s lorebook (one entry)',
        'the character’s note',
        'your note',
        'the card’s last instructions',
      ])
    }
    expect(scriptOf(null, { ...facts, ...told }).notes.map(({ kind }) => kind)).toEqual(['authorsNote'])
  })

  test('has nothing that a card leaves out, and stands without one', () => {
    const empty = { texts: {}, notes: [], books: [], tags: [], creatorNotes: '' }
    expect(scriptOf(readCard({ name: 'Ada' }), facts)).toMatchObject(empty)
    expect(scriptOf(null, facts)).toMatchObject(empty)
  })

  test.each([
    [{ prompt: 'Hm.' }, { depth: 4, speaker: 'system' }],
    [
      { prompt: 'Hm.', depth: -1, role: 'king' },
      { depth: 4, speaker: 'system' },
    ],
    [
      { prompt: 'Hm.', depth: 1.5, role: 'user' },
      { depth: 1, speaker: 'user' },
    ],
  ])('reads the note at a depth %j leniently', (depth_prompt, expected) => {
    const card = readCard({ name: 'Ada', extensions: { depth_prompt } })
    expect(scriptOf(card, facts).notes).toEqual([{ kind: 'depthPrompt', text: 'Hm.', ...expected }])
  })
})
