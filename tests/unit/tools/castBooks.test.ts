import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readLorebook } from '../../../src/formats/lore/readLorebook.ts'
import { remindersOf } from '../../../src/play/reminders.ts'
import { cueWith } from '../../../src/play/stage.ts'
import { readCast } from '../../../tools/cast/read.mjs'
import { bookOf } from '../../../tools/castBooks.mjs'
import { talk, template, tokenizer } from '../../support/loreScene.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const root = resolve(import.meta.dirname, '../../..')
const served = readFileSync(resolve(root, 'public/cast/books.json'), 'utf8')
const books = JSON.parse(served) as Readonly<Record<string, Readonly<Record<string, unknown>>>>
const boundaries = JSON.parse(readFileSync(resolve(root, 'data/cast/boundaries.json'), 'utf8')) as Readonly<
  Record<string, { readonly slug: string }>
>
const voice = {
  name: 'toy',
  model: { fingerprint: '', tokenizer, template, stopIds: [] },
  backbone: new ToyBackbone({ favoured: [], answers: [[]], vocabulary: 10 }),
}
const factsOf = (slug: string) =>
  JSON.parse(readFileSync(resolve(root, `data/cast/${slug}/facts.json`), 'utf8')) as readonly {
    readonly id: string
    readonly fact: string
    readonly ask: readonly string[]
  }[]

test('the served books are those of data/cast (node tools/castBooks.mjs writes them), of one to the byte', () => {
  const { cast } = readCast(resolve(root, 'data/cast'))
  expect(Object.keys(books)).toEqual(cast.map(({ role }) => role))
  const alice = cast.find(({ role }) => role === 'Alice')!
  expect(JSON.stringify(bookOf(alice)) === JSON.stringify(books['Alice'])).toBe(true)
})

test.each(Object.entries(boundaries))(
  'the book of %s has every fact, and of unknown questions for one most call it',
  async (role, { slug }) => {
    const facts = factsOf(slug)
    const { entries, unmet, scanDepth, isRecursive } = readLorebook(books[role] ?? {})
    expect([unmet, scanDepth, isRecursive]).toEqual([[], 1, false])
    expect(entries.map(({ content }) => content)).toEqual(facts.map(({ fact }) => fact))
    for (const { keys, keyWeights, place } of entries) {
      expect(place).toEqual({ kind: 'depth', depth: 1, speaker: 'system' })
      expect(keys.length).toBeGreaterThan(8)
      expect([...keyWeights.keys()].toSorted()).toEqual(keys.toSorted())
    }
    const card = { name: role, character_book: books[role] }
    const script = remindersOf({ name: role, card, system: null, blend: null })
    if (!script) throw new Error('the book is not marked as learnt')
    const called = await Promise.all(
      facts
        .filter((_, index) => index % 4 === 0)
        .flatMap(({ fact, ask }) =>
          ask.map(async (text) => {
            const { asides } = await cueWith(voice, {
              system: null,
              turns: talk(text),
              continueLast: false,
              script,
            })
            return asides?.some((aside) => aside.text.split('\n').includes(fact)) === true
          }),
        ),
    )
    expect(called.filter(Boolean).length / called.length).toBeGreaterThan(0.75)
  },
)
