import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import type { JsonRecord } from '../../../src/core/json.ts'
import { Random } from '../../../src/core/random.ts'
import { loreIn, withBook } from '../../../src/formats/lore/loreFile.ts'
import { readLorebook } from '../../../src/formats/lore/readLorebook.ts'
import { mutateJson } from '../../support/fuzz.ts'
import { played, talk } from '../../support/loreScene.ts'

interface BookCase {
  readonly about: string
  readonly book: JsonRecord
  readonly chat: readonly string[]
}

const fixtures = resolve(import.meta.dirname, '../../fixtures/lorebooks.json')
const CASES = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly BookCase[]
const card = { name: 'Orla', extensions: { other: 1 } }
const entry = { keys: ['lamp'], content: 'Old.' }

/** What is read of a lorebook, as far as it says. */
const readOf = (value: unknown) => {
  const found = loreIn(value)
  const entries = found && readLorebook(found.book).entries
  return { program: found?.program, name: found?.name, keys: entries?.map(({ keys }) => keys) }
}

/** What is sent, whatever the book is called. */
const unnamed = ({ report, ...sent }: ReturnType<typeof played>) => ({
  ...sent,
  fired: report.fired.map(({ book: _book, ...fired }) => fired),
  notes: report.notes,
})

describe('a lorebook of its own file', () => {
  test.each([
    [
      'SillyTavern',
      { entries: { 0: { key: ['lamp'], content: 'Old.' } }, name: 'Coast' },
      { program: 'SillyTavern', name: 'Coast', keys: [['lamp']] },
    ],
    [
      'V3',
      { spec: 'lorebook_v3', data: { name: 'Coast', entries: [entry, entry] } },
      { program: 'Character Card V3', name: 'Coast', keys: [['lamp'], ['lamp']] },
    ],
    ['a card', { name: 'Coast', entries: [entry] }, { program: 'a card', name: 'Coast', keys: [['lamp']] }],
    [
      'KoboldAI',
      [{ key: 'lamp, light', keysecondary: '', content: 'Old.' }],
      { program: 'KoboldAI', name: '', keys: [['lamp', 'light']] },
    ],
    [
      'RisuAI',
      { type: 'risu', ver: 1, data: [{ key: 'lamp, light', content: 'Old.', mode: 'normal' }] },
      { program: 'RisuAI', name: '', keys: [['lamp', 'light']] },
    ],
    [
      'NovelAI',
      { lorebookVersion: 5, entries: [{ keys: ['lamp', '/li+ght/i'], text: 'Old.', displayName: 'Lamp' }] },
      { program: 'NovelAI', name: '', keys: [['lamp', '/li+ght/i']] },
    ],
    [
      'Agnai',
      {
        kind: 'memory',
        name: 'Coast',
        entries: [{ keywords: ['lamp'], entry: 'Old.', priority: 4, weight: 2 }],
      },
      { program: 'Agnai', name: 'Coast', keys: [['lamp']] },
    ],
    ['an empty one', { entries: {} }, { program: 'SillyTavern', name: '', keys: [] }],
  ])('is read: %s', (_, value, expected) => {
    expect(readOf(value)).toEqual(expected)
  })

  test.each([
    null,
    'x',
    [],
    [1],
    [{ key: 'x' }],
    {},
    { entries: 'x' },
    { entries: [], other: 1 },
    { data: [] },
  ])('is not %j', (value) => {
    expect(loreIn(value)).toBeNull()
  })

  test('says the same in each of these forms', () => {
    const risu = {
      type: 'risu',
      data: [
        {
          key: 'a',
          content: 'A',
          alwaysActive: true,
          insertorder: 3,
          selective: true,
          secondkey: 'b',
          useRegex: false,
        },
      ],
    }
    const read = readLorebook(loreIn(risu)!.book).entries[0]
    expect(read).toMatchObject({ isConstant: true, order: 3, secondaryKeys: ['b'], content: 'A' })
    const agnai = {
      kind: 'memory',
      entries: [{ keywords: ['a'], entry: 'A', priority: 4, weight: 2, enabled: false }],
    }
    expect(readLorebook(loreIn(agnai)!.book).entries[0]).toMatchObject({
      isEnabled: false,
      order: 2,
      priority: 4,
    })
    const novel = {
      lorebookVersion: 5,
      entries: [{ keys: ['a'], text: 'A', forceActivation: true, contextConfig: { budgetPriority: 400 } }],
    }
    expect(readLorebook(loreIn(novel)!.book).entries[0]).toMatchObject({ isConstant: true, order: 400 })
  })
})

describe('a lorebook that goes into a card', () => {
  test.each(CASES.map((found) => [found.about, found] as const))(
    'says there what it said: %s',
    (_, found) => {
      const inside = withBook(card, { name: 'Book 1', book: found.book })['character_book'] as JsonRecord
      const turns = talk(...found.chat)
      const [scan, budget] = ['scan_depth', 'token_budget'].map((key) => found.book[key])
      // What the book says of all its entries has no place in another book.
      const book = {
        ...inside,
        scan_depth: scan,
        token_budget: budget,
        recursive_scanning: found.book['recursive_scanning'],
      }
      expect(unnamed(played([book], { turns }))).toEqual(unnamed(played([found.book], { turns })))
    },
  )

  test('stays as it is where a card can have it so', () => {
    const book = { name: 'Coast', entries: [{ ...entry, x: [1] }], extensions: { y: 2 } }
    const data = withBook(card, { name: 'Coast', book })
    expect(data).toEqual({ ...card, character_book: book })
    expect(data['character_book']).toBe(book)
  })

  test('keeps every field of World Info, those nobody knows too', () => {
    const world = {
      uid: 4,
      key: ['a'],
      content: 'A',
      order: 7,
      position: 4,
      depth: 2,
      disable: true,
      x_own: { y: 1 },
    }
    const data = withBook(card, { name: 'W', book: { entries: { 4: world } } })
    expect(data['character_book']).toEqual({
      name: 'W',
      extensions: {},
      entries: [
        {
          id: 4,
          keys: ['a'],
          content: 'A',
          enabled: false,
          insertion_order: 7,
          use_regex: false,
          position: 'after_char',
          extensions: { position: 4, depth: 2, x_own: { y: 1 } },
        },
      ],
    })
  })

  test('stands behind the entries that are there, which stay as they are', () => {
    const first = withBook(card, { name: 'Coast', book: { name: 'Coast', z: 1, entries: [entry] } })
    const second = withBook(first, { name: 'W', book: { entries: { 0: { key: ['b'], content: 'B' } } } })
    const book = second['character_book'] as { readonly entries: readonly JsonRecord[] }
    expect(book).toMatchObject({ name: 'Coast', z: 1 })
    expect(book.entries.map(({ keys }) => keys)).toEqual([['lamp'], ['b']])
    expect(book.entries[0]).toBe(entry)
    const alone = withBook(
      { ...card, character_book: [entry] },
      { name: 'W', book: { entries: [{ keys: ['b'] }] } },
    )
    expect(alone['character_book']).toEqual({ entries: [entry, { keys: ['b'] }] })
  })
})

test('whatever a lorebook holds, it is read, played and put into a card', () => {
  const random = new Random(11)
  for (let round = 0; round < 300; round++) {
    const { book, chat } = CASES[random.nextBelow(CASES.length)]!
    const text = mutateJson(JSON.stringify(book), random)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      continue
    }
    const found = loreIn(value)
    if (!found) continue
    const inside = withBook(card, found)['character_book'] as JsonRecord
    for (const one of [found.book, inside]) {
      const { system, report } = played([one], { turns: talk(...chat) })
      expect(system).toContain('You are Orla.')
      expect(report.fired.every(({ tokens }) => tokens > 0)).toBe(true)
    }
  }
})
