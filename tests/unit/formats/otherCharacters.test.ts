import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

import { readCard } from '../../../src/formats/card.ts'
import { readCardFile, writeCardJson } from '../../../src/formats/cardFile.ts'

const KEEPER = 'Orla is a keeper.'
const EXAMPLES = '{{user}}: Is it lit?\n{{char}}: Always.'
const ORLA = {
  name: 'Orla',
  description: KEEPER,
  firstMessage: 'You are wet.',
  scenario: 'A storm.',
  exampleMessages: EXAMPLES,
}

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

function kept(whole: unknown) {
  return readCard(readCardFile(json(whole), 'orla.json').card).extensions
}

const pygmalion = {
  char_name: 'Orla',
  char_persona: KEEPER,
  char_greeting: 'You are wet.',
  world_scenario: 'A storm.',
  example_dialogue: EXAMPLES,
  metadata: { tool: 1 },
}
const agnai = {
  kind: 'character',
  name: 'Orla',
  description: 'a note',
  greeting: 'You are wet.',
  scenario: 'A storm.',
  sampleChat: EXAMPLES,
  persona: { kind: 'text', attributes: { text: [KEEPER] } },
  alternateGreetings: ['Another.'],
  tags: ['sea'],
  characterBook: { kind: 'memory', entries: [{ keywords: ['lamp'], entry: 'Old.', enabled: false }] },
  visualType: 'avatar',
}
const backyard = {
  character: {
    aiDisplayName: 'Orla',
    aiName: 'orla',
    aiPersona: KEEPER,
    firstMessage: 'You are wet.',
    scenario: 'A storm.',
    customDialogue: '#{user}: Is it lit?\n#{character}: Always.',
    temperature: 1,
  },
}
const webui = { name: 'Orla', greeting: 'You are wet.', context: `${KEEPER}\n\n${EXAMPLES}` }

describe('a character of', () => {
  test.each([
    ['Pygmalion', pygmalion, ORLA],
    [
      'Agnai',
      agnai,
      { ...ORLA, creatorNotes: 'a note', alternateGreetings: ['Another.'], tags: ['sea'], lore: ['Old.'] },
    ],
    ['Backyard', backyard, ORLA],
    ['text generation web UI', webui, { ...ORLA, scenario: '' }],
    [
      'character.ai',
      {
        character: {
          name: 'Orla',
          title: 'Keeper',
          description: KEEPER,
          greeting: 'You are wet.',
          definition: EXAMPLES,
        },
      },
      { ...ORLA, scenario: '', creatorNotes: 'Keeper' },
    ],
  ])('%s', (program, whole, read) => {
    const found = readCardFile(json(whole), 'orla.json')
    expect(found.program).toBe(program)
    expect(readCard(found.card)).toMatchObject(read)
    expect(found.original).toEqual(whole)
    const again = readCardFile(writeCardJson(found.card, found.original), 'again.json')
    expect(readCard(again.card)).toEqual(readCard(found.card))
    expect(again.program).toBeUndefined()
  })

  test('Agnai with attributes has them as lines', () => {
    const persona = { kind: 'wpp', attributes: { species: ['human'], mind: ['dry', 'patient'] } }
    const { card } = readCardFile(json({ name: 'Orla', greeting: 'Hm.', persona }), 'orla.json')
    expect(card).toMatchObject({ description: 'species: human\nmind: dry, patient', first_mes: 'Hm.' })
  })

  test('a program that nothing is known of, with who it is as personality, within another object', () => {
    const character = {
      name: 'Orla',
      personality: KEEPER,
      scenario: 'A storm.',
      first_message: 'You are wet.',
      first_messages: ['You are wet.', 'Another.'],
      example_dialogs: EXAMPLES,
    }
    for (const whole of [{ character }, character]) {
      const found = readCardFile(json(whole), 'orla.json')
      expect(found.program).toBe('another program')
      expect(readCard(found.card)).toMatchObject({
        ...ORLA,
        personality: '',
        alternateGreetings: ['Another.'],
      })
    }
  })

  test('a program that nothing is known of, by the usual keys', () => {
    const whole = {
      name: 'Orla',
      first_message: 'You are wet.',
      persona: KEEPER,
      personality: 'Dry.',
      likes: 7,
    }
    const found = readCardFile(json(whole), 'orla.json')
    expect(found.program).toBe('another program')
    expect(readCard(found.card)).toMatchObject({
      name: 'Orla',
      description: KEEPER,
      firstMessage: 'You are wet.',
      personality: 'Dry.',
      extensions: { other: { likes: 7 } },
    })
  })

  test('a card in a list of one, or within another object, is that card', () => {
    const card = { spec: 'chara_card_v2', data: { name: 'Orla', first_mes: 'Hm.' } }
    for (const whole of [[card], { card }, { character: card.data, id: 7 }, [{ payload: card }]]) {
      expect(readCardFile(json(whole), 'orla.json').card).toMatchObject(card.data)
    }
    expect(() => readCardFile(json([card, card]), 'two.json')).toThrow('not a JSON object')
  })

  test('any program keeps what has no place in a card', () => {
    expect(kept(pygmalion)).toEqual({ pygmalion: { metadata: { tool: 1 } } })
    expect(kept(agnai)).toEqual({ agnai: { visualType: 'avatar' } })
    expect(kept(backyard)).toEqual({ backyard: { temperature: 1 } })
    expect(kept(webui)).toEqual({})
  })

  test('nobody known is a card, or none', () => {
    const both = { ...pygmalion, name: 'Orla', description: 'd', first_mes: 'f' }
    expect(readCardFile(json(both), 'orla.json').program).toBeUndefined()
    expect(() => readCardFile(json({ context: 'x', greeting: 'y' }), 'orla.json')).toThrow('no name')
  })
})

describe('an archive of Backyard', () => {
  const character = {
    displayName: 'Orla',
    name: 'orla',
    persona: KEEPER,
    loreItems: [{ key: 'lamp, light', value: 'It belongs to {character}.' }],
    isNSFW: false,
  }
  const scenario = {
    narrative: 'A storm.',
    firstMessages: [{ text: 'You are wet, {user}.' }],
    exampleMessages: [{ text: '#{user}: Is it lit?\n#{character}: Always.' }],
    formattingInstructions: 'Be brief.',
    messages: [{ type: 'human', text: 'Hm?' }],
  }
  const manifest = {
    schemaVersion: 1,
    characters: ['characters/a/character.json'],
    scenarios: ['scenarios/s.json'],
  }
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const files = {
    'manifest.json': json(manifest),
    'characters/a/character.json': json(character),
    'characters/a/images/1.png': png,
    'scenarios/s.json': json(scenario),
  }

  test('is one character in its scenario', () => {
    const found = readCardFile(zipSync(files), 'orla.byaf')
    expect(found).toMatchObject({ program: 'Backyard', portrait: { mime: 'image/png' } })
    expect(readCard(found.card)).toMatchObject({
      ...ORLA,
      firstMessage: 'You are wet, {{user}}.',
      systemPrompt: 'Be brief.',
      lore: ['It belongs to {{char}}.'],
      extensions: { backyard: { isNSFW: false } },
    })
    expect(found.chats).toEqual({ character, scenarios: [scenario] })
    expect(found.warnings).toEqual([])
  })

  test('says what of it is not read', () => {
    const more = { ...files, 'characters/b/character.json': json(character), 'scenarios/t.json': json({}) }
    const listed = { ...manifest, characters: [], scenarios: 7 }
    const found = readCardFile(zipSync({ ...more, 'manifest.json': json(listed) }), 'orla.byaf')
    expect(found.warnings).toEqual([
      expect.stringContaining('2 characters'),
      expect.stringContaining('2 scenarios'),
    ])
    const nameless = { ...files, 'characters/a/character.json': json({}) }
    expect(() => readCardFile(zipSync(nameless), 'orla.byaf')).toThrow('no name')
  })
})
