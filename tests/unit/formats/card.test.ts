import { describe, expect, test } from 'vitest'

import { readCard } from '../../../src/formats/card.ts'

const SVG = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg"/>')}`

const FULL = {
  name: 'Ada',
  description: '{{char}} meets {{user}}.',
  personality: 'Curious',
  scenario: 'A <USER> asks <BOT>.',
  first_mes: 'Hello, {{User}}.',
  mes_example: '<START>\n{{user}}: Hi\n{{char}}: $& Hi',
  creator_notes: 'never shown to the model',
  system_prompt: 'You are <char>.',
  post_history_instructions: 'Stay brief.',
  alternate_greetings: ['Hi', 7, 'Hey'],
  tags: ['maths'],
  creator: 'someone',
  character_version: '2',
  extensions: { talkativeness: 0.5, own: [{ deep: true }] },
  assets: [{ type: 'icon', uri: SVG, name: 'main', ext: 'svg' }, 'junk'],
}

describe('reading', () => {
  test('every field, from the data or the whole card', () => {
    const card = readCard(FULL)
    expect(readCard({ spec: 'chara_card_v3', spec_version: '3.0', data: FULL })).toEqual(card)
    expect(card).toEqual({
      name: 'Ada',
      nickname: '',
      description: FULL.description,
      personality: 'Curious',
      scenario: FULL.scenario,
      firstMessage: 'Hello, {{User}}.',
      alternateGreetings: ['Hi', 'Hey'],
      groupOnlyGreetings: [],
      exampleMessages: FULL.mes_example,
      systemPrompt: 'You are <char>.',
      postHistoryInstructions: 'Stay brief.',
      creator: 'someone',
      creatorNotes: 'never shown to the model',
      characterVersion: '2',
      tags: ['maths'],
      source: [],
      assets: [{ type: 'icon', uri: SVG, name: 'main', ext: 'svg' }],
      lorebookEntries: 0,
      lore: [],
      book: null,
      extensions: FULL.extensions,
    })
    expect(card.extensions).not.toBe(FULL.extensions)
  })

  test('whose it is where it names nobody is for the reader to say', () => {
    expect(readCard({ description: 'x' }, 'Ada').name).toBe('Ada')
    expect(readCard({ name: 'Eve' }, 'Ada').name).toBe('Eve')
  })

  test.each([
    [null, 0],
    [{ entries: [{}, {}] }, 2],
    [{ entries: { 0: {}, 1: {}, 2: {} } }, 3],
    [{ entries: 'x' }, 0],
  ])('counts the entries of a lorebook %j', (book, entries) => {
    expect(readCard({ name: 'Ada', character_book: book }).lorebookEntries).toBe(entries)
  })

  test('what is missing is empty, without a word', () => {
    const warnings: string[] = []
    const card = readCard({ name: ' Ada ', tags: null, assets: null, character_book: null }, '', warnings)
    expect(card).toMatchObject({ name: 'Ada', description: '', tags: [], assets: [], extensions: {} })
    expect(warnings).toEqual([])
  })

  test.each([
    [
      { character_version: 1.2 },
      { characterVersion: '1.2' },
      'character_version is a number where a text is due; it was read as one',
    ],
    [
      { description: ['A.', null, 'B.'] },
      { description: 'A.\nB.' },
      'description is a list where a text is due; it was read as one',
    ],
    [
      { personality: { dry: true } },
      { personality: '' },
      'personality is an object where a text is due; it counts as empty',
    ],
    [
      { tags: 'sea, storm' },
      { tags: ['sea', 'storm'] },
      'tags is a text where a list is due; it was read as one',
    ],
    [
      { tags: ['sea', 7, null] },
      { tags: ['sea', '7'] },
      "Entry 3 of the card's tags is null and is left out",
    ],
    [
      { alternate_greetings: 'Come in, quickly!' },
      { alternateGreetings: ['Come in, quickly!'] },
      'alternate_greetings is a text where',
    ],
    [
      { alternate_greetings: ['A', null, 'B'] },
      { alternateGreetings: ['A', 'B'] },
      "Entry 2 of the card's alternate_greetings is null",
    ],
    [
      { alternate_greetings: { 0: 'A', 1: 'B' } },
      { alternateGreetings: ['A', 'B'] },
      'alternate_greetings is an object where',
    ],
    [
      { alternate_greetings: 7 },
      { alternateGreetings: [] },
      'alternate_greetings is a number where a list is due; it counts as empty',
    ],
    [
      { extensions: [] },
      { extensions: {} },
      'extensions is a list where an object is due; it counts as empty',
    ],
    [{ assets: 'x' }, { assets: [] }, 'assets is a text where a list is due; it counts as empty'],
    [{ assets: [null] }, { assets: [] }, "Of the card's assets 1 are no objects"],
    [{ character_book: 'x' }, { lorebookEntries: 0 }, 'character_book is a text where an object is due'],
    [
      { character_book: { entries: [null, { content: 'Lamp.' }] } },
      { lorebookEntries: 1, lore: ['Lamp.'] },
      '1 entries are no objects',
    ],
    [{ character_book: { entries: 'x' } }, { lorebookEntries: 0 }, 'entries of the card'],
  ])('a value of the wrong type costs itself alone: %j', (fields, read, warning) => {
    const warnings: string[] = []
    const card = readCard({ name: 'Ada', scenario: 'Here.', ...fields }, '', warnings)
    expect(card).toMatchObject({ name: 'Ada', scenario: 'Here.', ...read })
    expect(warnings).toEqual([expect.stringContaining(warning)])
  })

  test('no prototype is reached and nothing is inherited', () => {
    const card = readCard(
      JSON.parse(
        '{"name":"Ada","__proto__":{"description":"x"},"extensions":{"__proto__":{"polluted":1},"constructor":2}}',
      ),
    )
    expect(card.description).toBe('')
    expect(Object.keys(card.extensions)).toEqual(['constructor'])
    expect(Object.getPrototypeOf(card.extensions)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
    const inherited = Object.create({ name: 'Eve' }) as unknown
    expect(() => readCard(inherited)).toThrow(expect.objectContaining({ code: 'format-invalid' }))
  })

  test('long texts, long lists and deep nesting are cut', () => {
    let deep: unknown = 'end'
    for (let level = 0; level < 500; level++) deep = [deep]
    const card = readCard({
      name: 'a'.repeat(5000),
      description: 'b'.repeat(2 ** 21),
      tags: Array.from({ length: 5000 }, () => 't'),
      extensions: { deep },
    })
    expect(card.name.length).toBe(1024)
    expect(card.description.length).toBe(2 ** 20)
    expect(card.tags.length).toBe(1024)
    expect(JSON.stringify(card.extensions)).not.toContain('end')
  })

  test.each([
    [undefined],
    [null],
    ['Ada'],
    [[]],
    [{}],
    [{ name: '' }],
    [{ name: {} }],
    [{ data: { name: ' ' } }],
  ])('%j is not a card', (value) => {
    expect(() => readCard(value)).toThrow(expect.objectContaining({ code: 'format-invalid' }))
  })
})
