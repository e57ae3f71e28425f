import { expect, test } from 'vitest'

import { countsAsReply } from '../../../src/core/dialogue.ts'
import { readDataset } from '../../../src/formats/dataset.ts'
import type { DatasetReading } from '../../../src/formats/dataset/reading.ts'

const jsonl = (...rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** Dialogues as `role: user > reply`, short enough to read in an expectation. */
function brief({ dialogues }: DatasetReading): string[] {
  return dialogues.map(({ role, turns }) => `${role}: ${turns.map(({ text }) => text).join(' > ')}`)
}

const items = jsonl(
  {
    role: 'Alice',
    item: 'cat',
    questions: ['What is your cat called?', 'the cats name', 'Your cat?', 'Name the cat.'],
    answer: 'Dinah.',
    held: 1,
    after: [null, 'greeting', 'age', null],
    split: 'train',
  },
  { role: 'Alice', messages: [{ role: 'assistant', content: 'Before.' }] },
  {
    role: 'Alice',
    item: 'age',
    questions: ['How old?', 'Your age?'],
    answer: 'Seven.',
    held: 1,
    split: 'test',
  },
  { role: 'Alice', item: 'greeting', answer: 'Good day.' },
  { role: 'Alice', item: 'tea', questions: ['Tea?'], answer: 'Please.', after: ['rum'] },
  { role: 'Hatter', item: 'tea', questions: ['Tea?'], answer: 'No room!' },
)

const said = (weight: unknown) => ({ role: 'assistant', content: 'Ho', weight })
const row = (...replies: unknown[]) => ({
  role: 'Bo',
  messages: [{ role: 'user', content: 'Hi' }, ...replies],
})

test('items: each wording a dialogue, behind what stands before it', () => {
  const reading = readDataset(items, 'a.jsonl')
  expect(reading.format).toBe('items')
  expect(brief(reading)).toEqual([
    'Alice: What is your cat called? > Dinah.',
    'Alice: Good day. > the cats name > Dinah.',
    'Alice: How old? > Seven. > Your cat? > Dinah.',
    'Alice: Name the cat. > Dinah.',
    'Alice: Before.',
    'Alice: How old? > Seven.',
    'Alice: Your age? > Seven.',
    'Hatter: Tea? > No room!',
  ])
  const splits = reading.dialogues.map(({ line, item, split }) => [line, item, split])
  expect(splits).toEqual([
    [1, 'cat', 'train'],
    [1, 'cat', 'train'],
    [1, 'cat', 'train'],
    [1, 'cat', 'wording'],
    [2, undefined, undefined],
    [3, 'age', 'test'],
    [3, 'age', 'test'],
    [6, 'tea', undefined],
  ])
  const learnt = reading.dialogues.map(({ turns }) => turns.filter(countsAsReply).map(({ text }) => text))
  expect(new Set(learnt.slice(0, 4).flat())).toEqual(new Set(['Dinah.']))
  expect(reading.rejected).toEqual([
    { line: 5, reason: 'its wording 1 stands after "rum", which is no item of its character' },
  ])
})

test.each([
  [{ item: ' ' }, 'its item has no name'],
  [{ answer: '' }, 'it has no answer'],
  [{ questions: [] }, 'it has no question'],
  [{ questions: ['a', 3] }, 'its wording 2 has no text'],
  [{ questions: Array.from({ length: 101 }, () => 'a') }, 'its questions are no list of at most 100'],
  [{ held: 2 }, 'held is none of 0 to 1, the number of its questions'],
  [{ after: ['a', 'b'] }, 'after is no list with a name or null for each of its questions'],
  [{ split: 'best' }, 'its split is none of "train", "test" and "wording", nor another name of them'],
  [{ role: '' }, 'it names no character'],
])('an item with %j is left out', (change, reason) => {
  const item = { role: 'Alice', item: 'tea', questions: ['Tea?'], answer: 'Please.', ...change }
  expect(readDataset(jsonl(item), 'a.jsonl').rejected).toEqual([{ line: 1, reason }])
})

test('a reply of weight 0 stands there unlearnt', () => {
  const again = [said(0), { role: 'user', content: 'Hm' }, said(1)]
  const reading = readDataset(jsonl(row(...again), row(said(0)), row(said(0.5)), row(said(0), said(1))), 'a')
  expect(reading.dialogues.map(({ turns }) => turns.map(({ isLearnt }) => isLearnt))).toEqual([
    [undefined, false, undefined, undefined],
  ])
  expect(reading.rejected.map(({ reason }) => reason)).toEqual([
    'it has no reply of the character that is learnt',
    'its turn 2 has a weight that is neither 0 nor 1',
    'it has no reply of the character that is learnt',
  ])
})
