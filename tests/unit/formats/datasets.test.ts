import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { fileSides } from '../../../src/formats/dataset/fileSides.ts'
import { readDatasets } from '../../../src/formats/datasets.ts'

/** Files by their names, and the sides that these say; the twin's tests expect the same. */
interface Case {
  readonly about: string
  readonly files: readonly string[]
  readonly sides: readonly ('train' | 'test' | null)[]
}

const cases = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/fileSides.json'), 'utf8'),
) as readonly Case[]

test.each(cases)('the names of files: $about', ({ files, sides }) => {
  expect(fileSides(files).map((side) => side ?? null)).toEqual(sides)
})

const row = (text: string, more: object = {}): string =>
  JSON.stringify({
    role: 'Mora',
    messages: [
      { role: 'user', content: `${text}?` },
      { role: 'assistant', content: text },
    ],
    ...more,
  })

const item = JSON.stringify({ role: 'Mora', item: 'a', questions: ['One?', 'Two?'], answer: 'A.', held: 1 })

describe('several files', () => {
  test('are one data set, held out as their names say where their rows do not', () => {
    const { dialogues, notes } = readDatasets([
      { name: 'train.jsonl', text: [row('a'), row('b', { split: 'test' })].join('\n') },
      { name: 'dev.jsonl', text: [row('c'), row('d', { split: 'train' }), item].join('\n') },
    ])
    expect(dialogues.map(({ file, line, split, turns }) => [file, line, split, turns.at(-1)?.text])).toEqual([
      ['train.jsonl', 1, 'train', 'a'],
      ['train.jsonl', 2, 'test', 'b'],
      ['dev.jsonl', 1, 'test', 'c'],
      ['dev.jsonl', 2, 'train', 'd'],
      ['dev.jsonl', 3, 'test', 'A.'],
      ['dev.jsonl', 3, 'test', 'A.'],
    ])
    expect(notes).toEqual(['By the files’ names train.jsonl is learnt, dev.jsonl is held out.'])
  })

  test('say of every row that cannot be used, and of every note, whose it is', () => {
    const { rejected, notes } = readDatasets([
      { name: 'a.jsonl', text: `${row('{{mood}}')}\n{}` },
      { name: 'b.csv', text: 'role,question,answer\nMora,Who?,\n' },
    ])
    expect(rejected.map(({ file, line }) => [file, line])).toEqual([
      ['a.jsonl', 2],
      ['b.csv', 2],
    ])
    expect(notes).toEqual(['a.jsonl: Macros that are left as they stand: {{mood}}.'])
  })

  test('of which one is none are refused by its name', () => {
    const files = [
      { name: 'a.jsonl', text: row('a') },
      { name: 'b.txt', text: 'nothing' },
    ]
    expect(() => readDatasets(files)).toThrow('b.txt is no data set')
  })
})
