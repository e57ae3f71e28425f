import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { wordsByStem } from '../../../src/formats/lore/stems.ts'
import { stemOf, wordsOf } from '../../../tools/cast/keyWords.mjs'

const known = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/stems.json'), 'utf8'),
) as Readonly<Record<string, readonly string[]>>

test.each(Object.entries(known))('%j has its stems here and where books are made', (text, stems) => {
  expect([...wordsByStem(text).keys()].toSorted()).toEqual(stems)
  const made = (wordsOf(text) as readonly string[]).map((word) => stemOf(word) as string)
  expect([...new Set(made)].toSorted()).toEqual(stems)
})

test('of words with one stem the first is told of', () => {
  expect([...wordsByStem('Living: he lives.')]).toEqual([
    ['liv', 'living'],
    ['he', 'he'],
  ])
})
