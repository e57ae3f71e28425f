import { expect, test } from 'vitest'

import { diffWords } from '../../../app/teach/run/diffWords.ts'
import type { DiffPart } from '../../../app/teach/run/diffWords.ts'
import { Random } from '../../../src/core/random.ts'

const written = (before: string, after: string): string =>
  diffWords(before, after)
    .map(({ kind, text }) => (kind === 'same' ? text : `${kind === 'gone' ? '-' : '+'}[${text.trim()}] `))
    .join('')
    .trim()

/** One of the two texts, read out of their difference. */
const read = (parts: readonly DiffPart[], left: DiffPart['kind']): string =>
  parts
    .filter(({ kind }) => kind !== left)
    .flatMap((part) => part.text.trim().split(/\s+/))
    .join(' ')
    .trim()

test.each([
  ['', '', ''],
  ['', 'Aye, stranger.', '+[Aye, stranger.]'],
  ['I am here.', '', '-[I am here.]'],
  ['The sea is calm.', 'The sea is calm.', 'The sea is calm.'],
  ['The sea is calm.', 'The river is calm.', 'The -[sea] +[river] is calm.'],
  ['I am a person.', 'I am Captain Brine, stranger.', 'I am -[a person.] +[Captain Brine, stranger.]'],
])('%j → %j', (before, after, expected) => {
  expect(written(before, after)).toBe(expected)
})

test('both texts can be read out of the difference (seed 7)', () => {
  const random = new Random(7)
  const text = (): string =>
    Array.from({ length: random.nextBelow(30) }, () => ['a', 'b', 'c', 'd'][random.nextBelow(4)]).join(' ')
  for (let round = 0; round < 200; round++) {
    const [before, after] = [text(), text()]
    const parts = diffWords(before, after)
    expect([read(parts, 'new'), read(parts, 'gone')]).toEqual([before, after])
  }
})

test('texts too long to compare are shown whole', () => {
  const long = 'word '.repeat(700)
  expect(diffWords(long, 'short').map(({ kind }) => kind)).toEqual(['gone', 'new'])
})
