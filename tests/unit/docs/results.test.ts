import { expect, test } from 'vitest'

import { figuresTable, insertTables, lossTable, speedTable } from '../../../tools/resultTables.mjs'
import { MEASUREMENTS, packHash, readmeText, readResult } from '../../../tools/results.mjs'
import { textOf } from '../../support/documents.ts'

test.each(Object.entries(MEASUREMENTS))(
  '%s was measured on the pack that ships',
  (name, { model, command }) => {
    const result = readResult(name)
    expect(result.command).toBe(command)
    expect(result.pack).toBe(packHash(model))
  },
)

test('the README’s tables are the kept outputs', () => {
  expect(textOf('README.md')).toBe(readmeText())
})

const EVALUATION = {
  roles: ['A', 'B'],
  nll: { bare: 4, prompted: 3.5, role: 3 },
  roleSwap: {
    matrix: [
      [2, 2.25],
      [4.5, 4],
    ],
    accuracy: 1,
    margin: 0.375,
    perReply: 0.625,
  },
  relevance: { ceiling: 0.9, floor: 0.12, splits: { test: { accuracy: 0.8 }, wording: { accuracy: 0.85 } } },
  facts: { accuracy: 0.74 },
  details: { nllByRole: { bare: [3.9, 4.1], prompted: [3.4, 3.6], role: [2, 4] } },
}

test('every role has its losses, and its margin over the best other adapter', () => {
  expect(lossTable([EVALUATION], ['it'], { A: 'Ada' }).split('\n')).toEqual([
    '|  | it: bare | card | as the role | margin |',
    '|---|---|---|---|---|',
    '| Ada | 3.90 | 3.40 | 2.00 | 0.25 |',
    '| B | 4.10 | 3.60 | 4.00 | 0.50 |',
    '| **all** | 4.00 | 3.50 | 3.00 | 0.38 |',
  ])
})

test('sense comes before voice', () => {
  const lines = figuresTable([EVALUATION], ['it']).split('\n')
  expect(lines[2]).toMatch(/unseen questions \| 80 % \|$/)
  expect(lines.find((line) => line.startsWith('| loss as'))).toContain(
    '14.3 % below the card, 25.0 % below bare',
  )
  expect(lines.at(-1)).toMatch(/\| 63 % \|$/)
})

test('ours stands beside the rival’s, where there is one', () => {
  const rows = [
    { case: 'decode', ours: 116.24, rival: 23.01, unit: 'tokens/s' },
    { case: 'prefill-256', ours: 737.4, rival: null, unit: 'tokens/s' },
  ]
  expect(speedTable({ rows }).split('\n').slice(2)).toEqual([
    '| decode, tokens/s | 116 | 23.0 |',
    '| prefill of 256, tokens/s | 737 | – |',
  ])
})

test('a table goes between its marks, and nowhere else', () => {
  const text = 'before\n<!-- t -->\nold\n<!-- end of t -->\nafter'
  expect(insertTables(text, { t: 'new' })).toBe('before\n<!-- t -->\n\nnew\n\n<!-- end of t -->\nafter')
  expect(() => insertTables('none', { t: 'new' })).toThrow('marks')
})
