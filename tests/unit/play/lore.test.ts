import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { remark } from '../../../src/core/remarks.ts'
import { inEnglish } from '../../../src/core/remarkTexts.ts'
import type { JsonRecord } from '../../../src/core/json.ts'
import { bookIn, played, talk, titles } from '../../support/loreScene.ts'
import type { EntryValues } from '../../support/loreScene.ts'

interface BookCase {
  readonly about: string
  readonly book: JsonRecord
  readonly chat: readonly string[]
  readonly sent: readonly string[]
  readonly passed: Readonly<Record<string, string>>
  readonly before: readonly string[]
  readonly notes: readonly string[]
}

const fixtures = resolve(import.meta.dirname, '../../fixtures/lorebooks.json')
const CASES = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly BookCase[]

const dragon = { comment: 'Dragon', keys: ['dragon'], content: 'The dragon sleeps.' }

/** A book of so many entries. */
const many = (count: number, of: (index: number) => EntryValues) =>
  bookIn(
    'card',
    Array.from({ length: count }, (_, index) => of(index)),
  )!

describe('a lorebook', () => {
  test.each(CASES.map((found) => [found.about, found] as const))('of %s', (_, found) => {
    const { system, report } = played([found.book], { turns: talk(...found.chat) })
    expect(report.fired.map(({ title }) => title)).toEqual(found.sent)
    expect(report.passed.map(({ title }) => title)).toEqual(Object.keys(found.passed))
    for (const { title, why } of report.passed) expect(inEnglish(why)).toContain(found.passed[title])
    for (const part of found.before) expect(system).toContain(part)
    expect(report.notes.map(inEnglish)).toEqual(found.notes)
  })

  test('says why each entry is sent, where it stands and what it takes', () => {
    const teller = { comment: 'Cave', keys: ['cave'], content: 'In the cave lives a dragon.' }
    const always = { comment: 'Always', isConstant: true, keys: [], content: 'So it is.', position: 4 }
    const { report } = played([bookIn('card', [dragon, teller, always])!], { turns: talk('The cave?') })
    expect(report.fired).toEqual([
      {
        book: 'Book 1',
        title: 'Dragon',
        why: remark('fired.told', { key: 'dragon', teller: 'Cave' }),
        where: remark('where.after'),
        tokens: 5,
      },
      {
        book: 'Book 1',
        title: 'Cave',
        why: remark('fired.said', { key: 'cave' }),
        where: remark('where.after'),
        tokens: 8,
      },
      {
        book: 'Book 1',
        title: 'Always',
        why: remark('fired.always'),
        where: remark('where.depth'),
        tokens: 4,
      },
    ])
  })

  test('is one with others: the orders of all of them count together', () => {
    const later = { ...dragon, comment: 'Later', order: 300 }
    const book = bookIn('card', [later])!
    const { report } = played([book, bookIn('world', [dragon])!])
    expect(report.fired.map(({ book: name, title }) => `${name}: ${title}`)).toEqual([
      'Book 2: Dragon',
      'Book 1: Later',
    ])
  })

  test('takes a quarter of the context, what is said and important first', () => {
    const entries = Array.from({ length: 40 }, (_, index) => ({
      comment: `E${index}`,
      keys: ['dragon'],
      content: `Dragon number ${index}. ${'It sleeps in the deep, deep cave. '.repeat(4)}`,
      order: index,
    }))
    const { report, system } = played([bookIn('card', entries)!], { context: 2048 })
    const spent = report.fired.reduce((sum, { tokens }) => sum + tokens, 0)
    expect(spent).toBeLessThanOrEqual(512)
    expect(spent).toBeGreaterThan(450)
    expect(report.fired.at(-1)?.title).toBe('E39')
    expect(report.fired.length + report.passed.length).toBe(40)
    expect(report.passed.every(({ why }) => why.code === 'passed.budget')).toBe(true)
    expect(system).toContain('Dragon number 39.')
  })

  test('draws by lot alike for the same chat, and anew as it goes on', () => {
    const book = bookIn('card', [{ ...dragon, probability: 50 }])!
    const at = (length: number) =>
      titles(played([book], { turns: talk(...Array.from({ length }, () => 'The dragon.')) })).length
    const drawn = Array.from({ length: 40 }, (_, index) => at(index + 1))
    expect(drawn).toEqual(Array.from({ length: 40 }, (_, index) => at(index + 1)))
    const hits = drawn.reduce((sum, hit) => sum + hit, 0)
    expect(hits).toBeGreaterThan(10)
    expect(hits).toBeLessThan(30)
  })

  test('lets what stays be found again in the chat alone: one answer fewer, and it is as before', () => {
    const book = bookIn('card', [{ ...dragon, sticky: 4, cooldown: 4, scanDepth: 1 }])!
    const lines = [
      'The dragon!',
      'Aye.',
      'Hm.',
      'Aye.',
      'Hm.',
      'Aye.',
      'The dragon?',
      'Aye.',
      'Well?',
      'Aye.',
    ]
    const calls = [1, 3, 5, 7, 9].map(
      (length) => titles(played([book], { turns: talk(...lines.slice(0, length)) })).length,
    )
    // Called after 1 message, it stays up to the 5th and rests up to the 9th.
    expect(calls).toEqual([1, 1, 1, 0, 0])
    const again = [...lines, 'The dragon.']
    expect(titles(played([book], { turns: talk(...again) }))).toEqual(['Dragon'])
  })

  test('that says what stems weigh hears what is said, and not the name of who says it', () => {
    const own = { set: 'facts', stems: 'dragon 100' }
    const entries = [{ content: 'It sleeps.', comment: 'Dragon', extensions: { hycora: own } }]
    const extensions = { hycora: { sets: { facts: { least_weight: 0.99, heed: 1 } } } }
    const script = { names: { user: 'Old Dragoman', character: 'Orla' } }
    const sentFor = (line: string) => titles(played([{ extensions, entries }], { turns: talk(line), script }))
    expect([sentFor('Dragons!'), sentFor('Dragons, then?')]).toEqual([['Dragon'], []])
  })

  test('is looked for in the newest part of a message that never ends', () => {
    const book = bookIn('card', [dragon])!
    expect(titles(played([book], { turns: talk(`dragon ${'x'.repeat(2 ** 17)}`) }))).toEqual([])
    expect(titles(played([book], { turns: talk(`${'x '.repeat(2 ** 16)} dragon`) }))).toEqual(['Dragon'])
  })
})

describe('a hostile lorebook', () => {
  test('with more entries than are read is read as far, and that is told', () => {
    const book = many(2500, (index) => ({ ...dragon, comment: `E${index}`, content: '.', order: -index }))
    const { report } = played([book], { context: 2 ** 16 })
    expect(report.fired).toHaveLength(2048)
    expect(report.notes.map(inEnglish)).toEqual(['Of 2500 entries the first 2048 are read.'])
  })

  test('in which each entry calls the next comes to an end', () => {
    const book = many(1000, (index) => ({
      comment: `E${index}`,
      keys: [`k${index}z`],
      content: `k${index + 1}z`,
    }))
    expect(titles(played([book], { turns: talk('k0z') })).length).toBe(32)
  })

  test('of keys and patterns that would take for ever is given up in time, and that is told', () => {
    const book = many(200, (index) => ({
      comment: `E${index}`,
      keys: Array.from({ length: 256 }, (_, key) => `/(?=(a|aa)+$)(?=.*b${key}).*${index}/`),
      content: 'Never.',
    }))
    const { report } = played([book], { turns: talk(`${'a'.repeat(60_000)}!`) })
    expect(report.fired).toEqual([])
    expect(report.notes.map(inEnglish).join(' ')).toMatch(
      /takes too long to look for.*together they take too long/,
    )
  })

  test('of one letter, everywhere, is given up in time', () => {
    const book = many(1000, () => ({ keys: Array.from({ length: 256 }, () => 'a a'), content: 'Never.' }))
    const { report } = played([book], { turns: talk('a'.repeat(60_000)) })
    expect(report.fired).toEqual([])
    expect(report.notes).toEqual([remark('keys.budget')])
  })

  test('cannot push out what the visitor says', () => {
    const wall = 'The wall is high and long. '.repeat(400)
    const book = bookIn('card', [
      { ...dragon, isConstant: true, content: wall, ignoresBudget: true },
      { ...dragon, isConstant: true, content: wall, ignoresBudget: true, position: 4, depth: 0 },
    ])!
    const { system, asides, report } = played([book], { context: 1024 })
    expect(asides).toEqual([])
    expect(report.passed.map(({ why }) => why)).toEqual([remark('passed.asides')])
    expect(system).toContain('You are Orla.')
  })
})
