import { expect, test } from 'vitest'

import { remark } from '../../../src/core/remarks.ts'
import type { JsonRecord } from '../../../src/core/json.ts'
import type { PackRole } from '../../../src/formats/packRoles.ts'
import { remindersOf, withReminders } from '../../../src/play/reminders.ts'
import { promptFor, promptsFor } from '../../../src/play/speak.ts'
import { cueAs } from '../../../src/play/stage.ts'
import { talk, template, tokenizer } from '../../support/loreScene.ts'
import { ToyBackbone } from '../../support/toyBackbone.ts'

const LEARNT = { hycora: { learnt: true } }
const AMONG = { position: 4, depth: 1, role: 0 }

const fact = (content: string, ...keys: readonly string[]): JsonRecord => ({
  keys,
  content,
  insertion_order: 100,
  extensions: AMONG,
})
const weighed = (content: string, weights: Readonly<Record<string, unknown>>): JsonRecord => ({
  ...fact(content, ...Object.keys(weights)),
  extensions: { ...AMONG, hycora: { weights } },
})
const said = (content: string, hundredths: number): JsonRecord => ({
  ...fact(content, 'What does she say of all this?'),
  insertion_order: 200,
  extensions: { ...AMONG, hycora: { stems: `cat ${hundredths}`, set: 'answers' } },
})
const BOOK: JsonRecord = {
  scan_depth: 1,
  token_budget: 24,
  recursive_scanning: false,
  extensions: LEARNT,
  entries: [
    fact('Dinah has two kittens.', 'cat', 'kittens'),
    fact('Her cat is called Dinah.', 'cat', 'called', 'your cat'),
    fact('Her sister reads.', 'sister'),
    fact('Dinah sleeps by the fire, on the rug, in the evening.', 'cat'),
  ],
}

const roleWith = (book: JsonRecord, values: Partial<PackRole> = {}): PackRole => ({
  name: 'Alice',
  card: { name: 'Alice', character_book: book },
  system: 'You are Alice.',
  blend: null,
  ...values,
})
const voice = {
  name: 'toy',
  model: { fingerprint: '', tokenizer, template, stopIds: [] },
  backbone: new ToyBackbone({ favoured: [], answers: [[]], vocabulary: 10 }),
}
const cueTo = (role: PackRole, ...lines: readonly string[]) =>
  cueAs(
    voice,
    { pack: { roles: [role] }, casting: { parts: [{ role: 0, weight: 1 }], strength: 1 } },
    { system: role.system, turns: talk(...lines), continueLast: false },
  )

test('facts that a message calls stand before it as one message, those with the most keys where there is room', async () => {
  const cue = await cueTo(roleWith(BOOK), 'Hello.', 'Good day!', 'What is your cat called?')
  expect(cue.asides).toEqual([
    { index: 2, role: 'system', isCalled: true, text: 'Dinah has two kittens.\nHer cat is called Dinah.' },
  ])
  expect(cue.report.passed.map(({ title }) => title)).toEqual(['cat'])
  const { text } = promptFor(voice, cue)
  const places = ['Good day!', 'Her cat is called Dinah.', 'What is your cat called?'].map((part) =>
    text.indexOf(part),
  )
  expect(places).toEqual(places.toSorted((one, other) => one - other))
  expect(Math.min(...places)).toBeGreaterThan(0)
})

test('guidance leads away from the same chat without them, and keeps what always stands there', async () => {
  const always = { ...fact('She is polite.'), constant: true }
  const book = { ...BOOK, entries: [fact('Her cat is called Dinah.', 'cat'), always] }
  const { prompt, beside } = promptsFor(voice, await cueTo(roleWith(book), 'What is your cat called?'))
  expect(prompt.text).toMatch(/called Dinah[^]*is polite[^]*What is your cat called\?/)
  expect(beside?.text).toMatch(/is polite[^]*Go on\./)
  expect(beside?.text).not.toContain('Dinah')
})

test('a book may leave out what is called by little beside what is called by most', async () => {
  const extensions = { hycora: { learnt: true, least_share: 0.6 } }
  const cue = await cueTo(roleWith({ ...BOOK, token_budget: 200, extensions }), 'What is your cat called?')
  expect(cue.asides?.map(({ text }) => text)).toEqual(['Her cat is called Dinah.'])
  expect(cue.report.passed).toEqual([
    { book: 'Alice’s lorebook', title: 'cat', why: remark('passed.faint') },
    { book: 'Alice’s lorebook', title: 'cat', why: remark('passed.faint') },
  ])
  const faint = await cueTo(roleWith({ ...BOOK, token_budget: 200, extensions }), 'And the kittens?')
  expect(faint.asides?.map(({ text }) => text)).toEqual(['Dinah has two kittens.'])
})

test('a book may say what its keys weigh, and what calls too little by itself stays out', async () => {
  const book = {
    ...BOOK,
    extensions: { hycora: { learnt: true, least_weight: 0.75 } },
    entries: [
      weighed('Her cat is called Dinah.', { cat: 0.5, called: 0.25, pet: 0.8, name: 'much' }),
      weighed('Her sister reads.', { sister: 0.7 }),
    ],
  }
  const sent = async (line: string) => (await cueTo(roleWith(book), line)).asides?.map(({ text }) => text)
  expect(await sent('What is your cat called?')).toEqual(['Her cat is called Dinah.'])
  expect(await sent('Any pet?')).toEqual(['Her cat is called Dinah.'])
  expect(await sent('A cat!')).toEqual([])
  expect(await sent('Your sister?')).toEqual([])
  // What has no number for a weight weighs as a key of which nothing is said: ln 3.
  expect(await sent('And the name?')).toEqual(['Her cat is called Dinah.'])
})

test('stems of words call an entry in place of its keys, which other programs read', async () => {
  const extensions = { ...AMONG, hycora: { stems: 'pet 120 kitten 90 liv 60' } }
  const entries = [{ ...fact('Her cat is called Dinah.', 'cat'), extensions }]
  const book = { ...BOOK, extensions: { hycora: { learnt: true, least_weight: 0.5 } }, entries }
  const isSent = async (line: string) => (await cueTo(roleWith(book), line)).asides?.length === 1
  const lines = ['Any pets?', 'The kitten’s name?', 'Who is living here?', 'Your cat?', 'A petal.']
  expect(await Promise.all(lines.map(isSent))).toEqual([true, true, true, false, false])
})

test('a set may heed what else a message says, by how rare its words are, and never who says it', async () => {
  const extensions = { ...AMONG, hycora: { set: 'facts', stems: 'cat 100' } }
  const others = ['dog 100 what 100', 'what 100'].map((stems) => ({
    ...fact('Nothing.'),
    extensions: { ...AMONG, hycora: { set: 'facts', stems } },
  }))
  const entries = [{ ...fact('Her cat is called Dinah.'), extensions }, ...others]
  const isSent = async (line: string, least: number, heed: number) => {
    const sets = { facts: { least_weight: least, heed } }
    const book = { ...BOOK, token_budget: 200, extensions: { hycora: { learnt: true, sets } }, entries }
    const cue = await cueTo(roleWith(book), line)
    return cue.asides?.some(({ text }) => text.includes('Dinah')) ?? false
  }
  // ln 4 of ln 4 + ln 2.5, three entries having "cat" once and "what" twice.
  const share = Math.log(4) / (Math.log(4) + Math.log(2.5))
  const around = async (line: string, heed: number, weight: number) => [
    await isSent(line, weight - 0.001, heed),
    await isSent(line, weight + 0.001, heed),
  ]
  expect(await around('What? A cat?', 0, 1)).toEqual([true, false])
  expect(await around('What cat?', 1, share)).toEqual([true, false])
  expect(await around('What cat?', 0.5, Math.sqrt(share))).toEqual([true, false])
  expect(await around('A cat.', 1, Math.log(4) / (Math.log(4) + Math.log(4)))).toEqual([true, false])
  expect(await around('Cat!', 1, 1)).toEqual([true, false])
})

test('of each set of a book no more are sent than it asks for, what is called by most nearest to the message', async () => {
  const sets = { answers: { least_weight: 1, least_share: 0.5, most: 2 } }
  const book = {
    ...BOOK,
    token_budget: 200,
    extensions: { hycora: { learnt: true, sets } },
    entries: [
      said('"My cat has kittens."', 200),
      said('"My cat sleeps."', 150),
      said('"I like cats."', 120),
      said('"All cats are grey."', 90),
      weighed('Her cat is called Dinah.', { cat: 0.1 }),
    ],
  }
  const cue = await cueTo(roleWith(book), 'Your cat?')
  expect(cue.asides?.map(({ text }) => text)).toEqual([
    'Her cat is called Dinah.\n"My cat sleeps."\n"My cat has kittens."',
  ])
  expect(cue.report.passed.map(({ why }) => why.code).toSorted()).toEqual(['passed.faint', 'passed.surplus'])
})

test('earlier messages call nothing, nor does who speaks', async () => {
  const cue = await cueTo(roleWith(BOOK), 'Your cat?', 'My cat is black, visitor.', 'And then?')
  expect(cue.asides).toEqual([])
})

test.each([
  ['a book that nobody learnt', roleWith({ ...BOOK, extensions: {} })],
  ['a blend', roleWith(BOOK, { blend: [{ role: 'Alice', weight: 1 }] })],
  ['nobody', undefined],
  ['a role without a card', roleWith(BOOK, { card: null })],
])('of %s there are no reminders', (_, role) => {
  expect(remindersOf(role)).toBeNull()
})

test('a script that has the book already has it once, before its other books', () => {
  const reminders = remindersOf(roleWith(BOOK))
  const other = { name: 'Ropes', book: { entries: [] } }
  const script = { ...reminders!, names: { user: 'Ada', character: 'Alice' } }
  const whole = { ...script, books: [other, { name: 'Alice’s lorebook', book: BOOK }] }
  expect(withReminders(whole, reminders)).toEqual({ ...whole, books: [...reminders!.books, other] })
  expect(withReminders(whole, null)).toBe(whole)
})
