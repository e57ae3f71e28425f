import type { RoleFacts } from '../../../src/formats/packFacts.ts'
import { describe, expect, test } from 'vitest'

import { joinCast, readCast, withOwnBook } from '../../../src/cast/member.ts'

const role = (name: string, card: RoleFacts['card'] = null): RoleFacts => ({
  name,
  system: null,
  card,
  blend: null,
  vector: Float32Array.from({ length: 32 }, (_, at) => Math.sin(at)),
})

const shipped = readCast({
  Holmes: {
    portrait: 'cast/holmes.svg',
    accentLight: '#8e6415',
    accentDark: '#e2a93b',
    line: 'Go on.',
    card: { first_mes: 'Good evening.' },
  },
  Alice: {
    displayName: 'Alice',
    card: { description: 'A girl. She is curious.', alternate_greetings: ['Oh dear.', 7] },
  },
})

describe('the cast', () => {
  test('stands before the engine does, and does not yet say who is trained', () => {
    expect(joinCast(shipped, null).map(({ key, isTrained }) => [key, isTrained])).toEqual([
      ['Holmes', null],
      ['Alice', null],
    ])
  })

  test('then says who is trained, and takes in roles without a card, each with a face of its own', () => {
    const members = joinCast(shipped, [
      role('Holmes'),
      role('Some_Body', { name: 'Somebody', first_mes: 'Hm.' }),
    ])
    expect(members.map(({ displayName, isTrained }) => [displayName, isTrained])).toEqual([
      ['Holmes', true],
      ['Alice', false],
      ['Somebody', true],
    ])
    expect(members[0]?.portrait).toBe('cast/holmes.svg')
    expect(members[2]).toMatchObject({
      greetings: ['Hm.'],
      portrait: expect.stringContaining('data:image/svg+xml,'),
    })
  })

  test('is lenient: what a card lacks has a default, what is of the wrong kind is left out', () => {
    expect(shipped[1]).toMatchObject({
      line: 'A girl.',
      greetings: ['Oh dear.'],
      portrait: null,
      starters: expect.any(Array),
    })
    expect(readCast(null)).toEqual([])
    expect(readCast({ Nobody: 7 })).toEqual([])
  })

  test.each([
    'https://example.org/face.svg',
    '//example.org/face.svg',
    'cast/../secret.svg',
    'javascript:alert(1)',
    'data:text/html,x',
  ])('never shows a picture from %j', (portrait) => {
    expect(readCast({ Holmes: { portrait } })[0]?.portrait).toBeNull()
  })
})

describe('a lorebook of this site', () => {
  const entry = { keys: ['fog'], content: 'Fog helps nobody but the burglar.', extensions: {} }
  const books = { Holmes: { name: 'Fog', entries: [entry] }, Alice: { entries: [entry] } }
  const members = readCast({
    Holmes: { card: { name: 'Holmes' } },
    Alice: { card: { name: 'Alice' } },
    Dracula: { card: { name: 'Dracula' } },
  })

  test('is given to the one who plays, and to nobody else', () => {
    const [holmes, ...others] = withOwnBook(members, 'Holmes', books)
    expect(holmes?.card).toMatchObject({ name: 'Holmes', lorebookEntries: 1, book: books.Holmes })
    expect(others).toEqual(members.slice(1))
  })

  test('changes nothing where it is there already, or there is none', () => {
    const given = withOwnBook(members, 'Holmes', books)
    expect(withOwnBook(given, 'Holmes', books)).toBe(given)
    for (const [key, json] of [
      ['Dracula', books],
      ['Nobody', books],
      ['Holmes', null],
      ['Holmes', { Holmes: 7 }],
    ] as const)
      expect(withOwnBook(members, key, json)).toBe(members)
  })
})
