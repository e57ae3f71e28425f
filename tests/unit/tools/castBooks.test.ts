import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readLorebook } from '../../../src/formats/lore/readLorebook.ts'
import { remindersOf } from '../../../src/play/reminders.ts'
import { castBooks } from '../../../tools/castBooks.mjs'

const root = resolve(import.meta.dirname, '../../..')
const served = readFileSync(resolve(root, 'public/cast/books.json'), 'utf8')
const books = JSON.parse(served) as Readonly<Record<string, Readonly<Record<string, unknown>>>>
const boundaries = JSON.parse(readFileSync(resolve(root, 'data/cast/boundaries.json'), 'utf8')) as Readonly<
  Record<string, { readonly slug: string }>
>
const factsOf = (slug: string) =>
  JSON.parse(readFileSync(resolve(root, `data/cast/${slug}/facts.json`), 'utf8')) as readonly {
    readonly fact: string
    readonly keys: readonly string[]
  }[]

test('the served books are those of data/cast (node tools/castBooks.mjs writes them)', () => {
  expect(castBooks() === served).toBe(true)
})

test.each(Object.entries(boundaries))(
  'the book of %s has every fact, with its keys and others',
  (role, { slug }) => {
    const facts = factsOf(slug)
    const { entries, unmet, scanDepth, isRecursive } = readLorebook(books[role] ?? {})
    expect([unmet, scanDepth, isRecursive]).toEqual([[], 1, false])
    expect(entries.map(({ content }) => content)).toEqual(facts.map(({ fact }) => fact))
    for (const [at, { keys, place }] of entries.entries()) {
      expect(place).toEqual({ kind: 'depth', depth: 1, speaker: 'system' })
      expect(keys).toEqual(expect.arrayContaining([...(facts[at]?.keys ?? [])]))
      expect(keys.length).toBeGreaterThan(8)
      expect(keys.every((key) => !key.startsWith('/'))).toBe(true)
    }
    const card = { name: role, character_book: books[role] }
    expect(remindersOf({ name: role, card, system: null, blend: null })).not.toBeNull()
  },
)
