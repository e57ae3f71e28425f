import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { excerptOf, findWords, foldLetters, wordsIn } from '../../../src/core/textSearch.ts'

/** What is found, as it stands in the text. */
const found = (text: string, query: string): string[] | null =>
  findWords(text, wordsIn(query))?.map(({ start, end }) => text.slice(start, end)) ?? null

test.each([
  ['The café is shut.', 'CAFE', ['café']],
  ['The cafe\u0301 is shut.', 'café', ['cafe\u0301']],
  ['Straße, ﬁne', 'fine', ['ﬁne']],
  ['a 🦜 sings', '🦜 sing', ['🦜', 'sing']],
  ['one two one', 'two one', ['one', 'two', 'one']],
  ['abab', 'ab aba', ['aba']],
  ['one', 'one two', null],
  ['one', ' ', null],
  ['福尔摩斯在家', '摩斯', ['摩斯']],
])('in %j of %j', (text, query, expected) => {
  expect(found(text, query)).toEqual(expected)
})

test('whatever is drawn, what is found is what was looked for', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 })
  fc.assert(
    fc.property(text, text, text, (before, word, behind) => {
      fc.pre(wordsIn(word).length === 1 && word.trim() === word)
      const ranges = findWords(`${before} ${word} ${behind}`, wordsIn(word))
      expect(ranges?.length).toBeGreaterThan(0)
      for (const { start, end } of ranges ?? []) {
        expect(foldLetters(`${before} ${word} ${behind}`.slice(start, end))).toContain(wordsIn(word)[0])
      }
    }),
  )
})

test('an excerpt is cut around the first word, and marks all that it holds', () => {
  const text = `${'left '.repeat(40)}the Lamp went out, lamp and all. ${'right '.repeat(40)}`
  const pieces = excerptOf(text, findWords(text, ['lamp']) ?? [])
  expect(pieces.filter(({ isFound }) => isFound).map((piece) => piece.text)).toEqual(['Lamp', 'lamp'])
  const whole = pieces.map((piece) => piece.text).join('')
  expect(whole).toMatch(/^… left .*the Lamp went out, lamp and all\. right .* …$/)
  expect(whole.length).toBeLessThan(200)
  expect(excerptOf('Short.', [])).toEqual([{ text: 'Short.', isFound: false }])
})
