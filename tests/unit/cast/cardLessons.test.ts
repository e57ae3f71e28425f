import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import {
  lessonAnswer,
  lessonLines,
  lessonRecipe,
  lessonScene,
  lessonStops,
  OPENINGS_PATH,
  parseOpenings,
  spreadOpenings,
} from '../../../src/cast/cardLessons.ts'
import type { Opening } from '../../../src/cast/cardLessons.ts'
import { readCard } from '../../../src/formats/card.ts'
import { readDatasets } from '../../../src/formats/datasets.ts'
import { castOpenings } from '../../../tools/castOpenings.mjs'
import { textOf } from '../../support/documents.ts'

const served = readFileSync(resolve(import.meta.dirname, '../../../public', OPENINGS_PATH), 'utf8')
const openings = parseOpenings(JSON.parse(served))

const orla = readCard({
  name: 'Orla',
  description: '{{char}} keeps a lighthouse and trusts no {{user}}.',
  personality: 'dry',
  first_mes: 'Mind the step, {{user}}.',
  mes_example: '',
})
const tea: Opening = { id: 'tea', split: 'train', wordings: ['Do you like tea?', 'tea?', 'Is tea good?'] }
const sea: Opening = { id: 'sea', split: 'test', wordings: ['What is the sea?', 'the sea?', 'And the sea?'] }

test('the questions that are served are what tools/castOpenings.mjs writes', () => {
  expect(served).toBe(castOpenings())
  const last = /const COUNTS = \[.*, (\d+)\]/.exec(
    readFileSync(resolve(import.meta.dirname, '../../../app/teach/lines/CardLessons.tsx'), 'utf8'),
  )
  expect(openings).toHaveLength(Number(last?.[1]))
  expect(textOf('README.md')).toContain(`answers up to ${openings.length} questions of ours`)
  const held = openings.filter(({ split }) => split === 'test').length
  expect(held).toBeGreaterThan(20)
  expect(openings.every(({ wordings }) => wordings.length === 12)).toBe(true)
  // Nobody else is asked about the twelve.
  expect(served).not.toMatch(/Holmes|Dracula|Quixote|Queen Elizabeth|Caesar|monkey/)
})

test.each([
  [{}, /is not a list of questions/],
  [[1], /\[0\] is not an object/],
  [[{ ...tea, id: '' }], /\[0\]\.id is not a text/],
  [[tea, { ...tea, split: 'wording' }], /\[1\]\.split is neither train nor test/],
  [[{ ...tea, wordings: ['one', 'two', 3] }], /\[0\]\.wordings has not more than 2 texts/],
])('%j is no list of questions', (json, message) => {
  expect(() => parseOpenings(json)).toThrow(message)
})

test('so many questions are taken from all parts of the list, each once', () => {
  const some = spreadOpenings(openings, 40)
  expect(new Set(some).size).toBe(40)
  const last = openings.indexOf(some.at(-1)!)
  expect(last).toBeGreaterThan(openings.length - openings.length / 20)
  expect(spreadOpenings(openings, 1000)).toEqual(openings)
})

test('the model is told the whole card, and one question', () => {
  const scene = lessonScene(orla, tea)
  expect(scene).toMatchObject({ role: null, turns: [{ speaker: 'user', text: 'Do you like tea?' }] })
  expect(scene.system).toMatch(/You are Orla/)
  expect(scene.script.texts).toMatchObject({
    description: 'Orla keeps a lighthouse and trusts no stranger.',
    personality: 'dry',
  })
  // Small models go on with the card's next example.
  expect(lessonStops(orla)).toEqual(['\nstranger:', '\nOrla:', '<START>'])
})

test.each([
  ['Tea is warm. It will do.', 'end', 'Tea is warm. It will do.'],
  ['Orla: Tea is warm.', 'end', 'Tea is warm.'],
  ['Tea is warm. It will', 'length', 'Tea is warm.'],
  ['“Tea is warm!” she said. “It', 'loop', '“Tea is warm!” she said.'],
  ['茶是热的。它还', 'length', ''],
  ['Tea is', 'length', ''],
  ['Tea, mostly', 'stop', 'Tea, mostly'],
  ['  ', 'end', ''],
] as const)('of "%s", ended by %s, "%s" is learnt', (said, end, learnt) => {
  expect(lessonAnswer(orla, said, end)).toBe(learnt)
})

test('answers are lines that say of whom they are, what is held out, and what stands before', () => {
  const text = lessonLines(orla, [
    { opening: tea, answer: 'Tea will do.' },
    { opening: sea, answer: 'Wet.' },
  ])
  const { dialogues, format } = readDatasets([{ name: 'Orla.jsonl', text }])
  expect(format).toBe('items')
  expect(dialogues.map(({ role, split, turns }) => [role, split, turns.map((turn) => turn.text)])).toEqual([
    ['Orla', 'train', ['Do you like tea?', 'Tea will do.']],
    ['Orla', 'wording', ['Mind the step, stranger.', 'tea?', 'Tea will do.']],
    ['Orla', 'wording', ['Is tea good?', 'Tea will do.']],
    ['Orla', 'test', ['What is the sea?', 'Wet.']],
    ['Orla', 'test', ['Mind the step, stranger.', 'the sea?', 'Wet.']],
    ['Orla', 'test', ['And the sea?', 'Wet.']],
  ])
  // The card itself is nowhere in them.
  expect(text).not.toContain('lighthouse')
})

test('a card without a greeting has none before its lines', () => {
  const silent = readCard({ name: 'Orla', description: 'A keeper.' })
  expect(lessonLines(silent, [{ opening: tea, answer: 'Yes.' }])).toBe(
    `${JSON.stringify({ role: 'Orla', item: 'tea', questions: tea.wordings, answer: 'Yes.', held: 2, split: 'train' })}\n`,
  )
})

test('more answers are learnt in more steps', () => {
  expect(lessonRecipe(5)).toMatchObject({ steps: 30, batch: 12, wordings: 2 })
  expect(lessonRecipe(120)).toMatchObject({ steps: 120 })
})
