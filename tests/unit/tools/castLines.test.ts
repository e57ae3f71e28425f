import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { beforeAll, expect, test } from 'vitest'

import { countsAsReply } from '../../../src/core/dialogue.ts'
import { readDataset } from '../../../src/formats/dataset.ts'
import type { DatasetDialogue, DatasetReading } from '../../../src/formats/dataset/reading.ts'
import { castLines } from '../../../tools/castLines.mjs'

const served = readFileSync(resolve(import.meta.dirname, '../../../public/cast/lines.jsonl'), 'utf8')
let reading: DatasetReading

beforeAll(() => {
  reading = readDataset(served, 'lines.jsonl')
})

const share = (few: readonly unknown[], all: readonly unknown[]) => few.length / all.length
const plain = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
const saidIn = ({ turns }: DatasetDialogue) =>
  turns.filter(({ speaker }) => speaker === 'user').map(({ text }) => plain(text))
const lengthOf = ({ turns }: DatasetDialogue) => turns.length
const of = (split: string) => reading.dialogues.filter((dialogue) => dialogue.split === split)

test('the served lines are those of data/cast (node tools/castLines.mjs writes them)', () => {
  expect(castLines() === served).toBe(true)
})

test('are read whole: questions of every character in all their wordings, two and one of them held out', () => {
  expect([reading.format, reading.rejected]).toEqual(['items', []])
  const splits = new Set(reading.dialogues.map(({ split }) => split))
  expect(splits).toEqual(new Set(['train', 'test', 'wording']))
  for (const role of new Set(reading.dialogues.map((dialogue) => dialogue.role))) {
    const items = reading.dialogues.filter((dialogue) => dialogue.role === role && dialogue.item === 'hello')
    expect(items.map(({ split }) => split)).toEqual([
      ...Array.from({ length: 10 }, () => 'train'),
      'wording',
      'wording',
    ])
  }
})

test('half of the questions stand alone, a quarter after the greeting, a quarter after an exchange', () => {
  const asked = reading.dialogues.filter(({ item }) => item !== undefined)
  expect(
    share(
      asked.filter((one) => lengthOf(one) === 2),
      asked,
    ),
  ).toBeCloseTo(0.47, 1)
  expect(
    share(
      asked.filter((one) => lengthOf(one) === 3),
      asked,
    ),
  ).toBeCloseTo(0.26, 1)
  expect(asked.every(({ turns }) => turns.filter(countsAsReply).length === 1)).toBe(true)
})

test('nothing that is held out is said in training, not as what stands before either', () => {
  const heldOut = new Set(
    [...of('test'), ...of('wording')]
      .filter(({ item }) => item !== undefined)
      .flatMap((one) => saidIn(one).slice(-1)),
  )
  const heard = of('train').flatMap(saidIn)
  expect(heard.filter((text) => text.includes(' ') && heldOut.has(text))).toEqual([])
})
