import { assert, property, stringMatching } from 'fast-check'
import { expect, test } from 'vitest'

import { KeySearch } from '../../../src/play/lore/keys.ts'

const rules = { arePatterns: false, isCaseSensitive: false, isWholeWords: true }

/** A letter of a word that parts words by spaces. */
const BESIDE = String.raw`(?:(?!\p{Script=Han})[\p{L}\p{N}\p{M}_])`

test('a whole word is found where nothing of a word stands beside it, whatever is looked for', () => {
  const text = stringMatching(/^(?:[abA1é_ '漢-]|\u0301){0,12}$/u)
  const key = stringMatching(/^[abA1é]{1,3}(?:'[ab])?$/u)
  assert(
    property(text, key, (hay, needle) => {
      for (const isCaseSensitive of [false, true]) {
        const alone = new RegExp(`(?<!${BESIDE})${needle}(?!${BESIDE})`, isCaseSensitive ? 'u' : 'iu')
        const search = new KeySearch(10_000)
        expect(search.has(hay, needle, { ...rules, isCaseSensitive })).toBe(alone.test(hay))
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a book may have thousands of words looked for in a long message', () => {
  const search = new KeySearch(20_000)
  const message = 'The ship sails at dawn. '.repeat(2_000)
  const found = Array.from({ length: 6_000 }, (_, index) => search.has(message, `word${index}`, rules))
  expect([found.includes(true), search.has(message, 'Dawn', rules), [...search.faults]]).toEqual([
    false,
    true,
    [],
  ])
})
