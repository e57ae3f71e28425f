import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readLorebook } from '../../../src/formats/lore/readLorebook.ts'
import { remindersOf } from '../../../src/play/reminders.ts'
import { cueWith } from '../../../src/play/stage.ts'
import { readCast } from '../../../tools/cast/read.mjs'
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

interface Person {
  readonly role: string
  readonly facts: readonly unknown[]
  readonly talks: readonly unknown[]
  readonly items: readonly Item[]
  readonly further: readonly Item[]
}
interface Item {
  readonly id: string
  readonly q: readonly string[]
  readonly held: number
  readonly split: string
}
const cast = readCast(resolve(root, 'data/cast')).cast as readonly Person[]

test('everybody of data/cast has a book, in its order', () => {
  expect(Object.keys(books)).toEqual(cast.map(({ role }) => role))
})

/** What a character is reminded of; its book is read once. */
const scripts = new Map(
  Object.entries(books).map(([role, book]) => {
    const card = { name: role, character_book: book }
    return [role, remindersOf({ name: role, card, system: null, blend: null })]
  }),
)

/** What of a character's book stands before a message. */
async function remindersFor(role: string, text: string): Promise<readonly string[]> {
  const script = scripts.get(role)
  if (!script) throw new Error('the book is not marked as learnt')
  const { asides } = await cueWith(voice, { system: null, turns: talk(text), continueLast: false, script })
  return (asides ?? []).flatMap((aside) => aside.text.split('\n'))
}

test.each(Object.entries(boundaries))(
  'the book of %s has every fact, and of unknown questions for one most call it',
  async (role, { slug }) => {
    const facts = factsOf(slug)
    const { entries, unmet, scanDepth, isRecursive } = readLorebook(books[role] ?? {})
    expect([unmet, scanDepth, isRecursive]).toEqual([[], 1, false])
    const own = entries.filter(({ set }) => set === 'facts')
    expect(own.map(({ content }) => content)).toEqual(facts.map(({ fact }) => fact))
    for (const { keys, stems, place } of own) {
      expect(place).toEqual({ kind: 'depth', depth: 1, speaker: 'system' })
      expect(stems.size).toBeGreaterThan(8)
      expect(keys.length).toBeGreaterThan(0)
    }
    const asked = facts.filter((_, index) => index % 3 === 0)
    const called = await Promise.all(
      asked.flatMap(({ fact, ask }) =>
        ask.map(async (text) => (await remindersFor(role, text)).includes(fact)),
      ),
    )
    expect(called.filter(Boolean).length / called.length).toBeGreaterThan(0.7)
  },
)

test.each(cast)(
  'the book of $role has every answer that is not held out, and of unknown wordings of their questions most call it',
  async ({ role, items, further }) => {
    const taught = items.filter(({ split }) => split === 'train')
    const { entries, unmet } = readLorebook(books[role] ?? {})
    expect(unmet).toEqual([])
    const said = entries.filter(({ set }) => set === 'answers')
    expect(said.map(({ title }) => title)).toEqual([...taught, ...further].map(({ q }) => q[0]))
    const contents = new Map(said.map(({ title, content }) => [title, content]))
    const asked = [...taught, ...further]
      .filter((_, index) => index % 50 === 0)
      .flatMap((item) => item.q.slice(item.q.length - item.held).map((text) => ({ text, item })))
    const reminders = await Promise.all(asked.map(({ text }) => remindersFor(role, text)))
    const called = asked.map(
      ({ item }, index) => reminders[index]?.includes(contents.get(item.q[0] ?? '') ?? '') ?? false,
    )
    const shareOf = (isFurther: boolean) => {
      const own = called.filter((_, index) => further.includes(asked[index]!.item) === isFurther)
      return own.filter(Boolean).length / own.length
    }
    expect(shareOf(false)).toBeGreaterThan(0.6)
    // Of what nobody was taught each question has fewer ways to be said.
    expect(shareOf(true)).toBeGreaterThan(0.2)
    const counts = reminders.map((lines) => lines.filter((line) => line.includes(' once said: "')).length)
    expect(Math.max(...counts)).toBe(3)
  },
)

test('who asks for another answer is not given what was said before', () => {
  const said = readLorebook(books['Alice'] ?? {}).entries.filter(({ set }) => set === 'answers')
  expect(new Set(said.flatMap(({ occasions }) => occasions))).toEqual(new Set(['next']))
})
