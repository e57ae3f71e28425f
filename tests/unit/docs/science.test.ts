import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { scienceRecord, scienceText } from '../../../tools/science.mjs'
import { meanOf, rowsOf } from '../../../tools/science/read.mjs'
import { sections } from '../../../tools/science/sections.mjs'
import { root, textOf } from '../../support/documents.ts'

/** What a number of a table may be of one in a file. */
const FACTORS = [1, 100, 1e-6, 1e-9]

function leavesOf(value: unknown): readonly number[] {
  if (typeof value === 'number') return [value]
  return value !== null && typeof value === 'object' ? Object.values(value).flatMap(leavesOf) : []
}

/** Every number in JSON files. */
function numbersIn(paths: readonly string[]): readonly number[] {
  return paths
    .filter((path) => path.endsWith('.json'))
    .flatMap((path) => leavesOf(JSON.parse(readFileSync(join(root, path), 'utf8'))))
}

/** Numbers of cells as they are written; those in the first column are names. */
function writtenIn(table: readonly (readonly string[])[]): readonly string[] {
  return table.slice(1).flatMap(([, ...cells]) => cells.flatMap(numbersOf))
}

/** Numbers of a cell that has nothing else in it but signs and units. */
function numbersOf(cell: string): readonly string[] {
  if (!/^[-\d.e ±%MG]+$/.test(cell)) return []
  return cell.match(/-?\d+(?:\.\d+)?(?:e[-+]\d+)?/g) ?? []
}

/** Whether one of the numbers, written as this one is, reads the same. */
function isFrom(written: string, numbers: readonly number[]): boolean {
  const decimals = /\.(\d+)/.exec(written)?.[1]?.length ?? 0
  return numbers.some((number) =>
    written.includes('e')
      ? number.toExponential(decimals) === written
      : FACTORS.some(
          (factor) => Math.abs(number * factor - Number(written)) <= 0.5 * 10 ** -decimals * (1 + 1e-6),
        ),
  )
}

test('the page of documents is what the committed results say', () => {
  expect(textOf('docs/science.md')).toBe(scienceText())
})

test('the app shows the same', () => {
  expect(JSON.parse(textOf('app/science/experiments.json'))).toEqual(scienceRecord())
})

describe.each(sections())('$title', ({ table, files, picture, answer }) => {
  test('has no number in its table that is not in its files', () => {
    const numbers = numbersIn(files)
    const written = writtenIn(table)
    expect(written.length).toBeGreaterThan(3)
    expect(written.filter((each) => !isFrom(each, numbers))).toEqual([])
  })

  test('has a picture, where one is named, and an answer of few sentences', () => {
    const path = join(root, `scale/experiments/results/${picture?.name}.svg`)
    expect(picture === undefined || existsSync(path)).toBe(true)
    expect(answer.split(/\.\s/).length).toBeLessThanOrEqual(2)
  })
})

test('a new role is learnt best as the answer says', () => {
  const rows = rowsOf('new-role')
  const counts = [5, 10, 20, 40, 80]
  const best = (variant: string): readonly number[] =>
    counts.map((replies) =>
      meanOf(
        rows.find((row) => row.variant === variant && row.replies === replies)!,
        'best',
      ),
    )
  const [vector, whole, own] = ['its vector alone', 'vector and all that is shared', 'a LoRA of its own'].map(
    best,
  )
  expect(counts.filter((_, at) => own![at]! > Math.max(vector![at]!, whole![at]!))).toEqual(counts)
  expect(counts.filter((_, at) => vector![at]! <= whole![at]!)).toEqual([5, 10])
})

test('a number that is in no file is found out', () => {
  const numbers = [3.9588, 1698112, 0.6285, 1.72e-12]
  expect(['3.959', '1.70', '63', '1.7e-12'].every((each) => isFrom(each, numbers))).toBe(true)
  expect(['3.958', '1.71', '64', '1.8e-12'].filter((each) => isFrom(each, numbers))).toEqual([])
  expect(numbersOf('4.057 ± 0.004')).toEqual(['4.057', '0.004'])
  expect(numbersOf('k = 64')).toEqual([])
})
