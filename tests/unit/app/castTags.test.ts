import { expect, test } from 'vitest'

import { hasTags, tagsAmong } from '../../../app/cast/castTags.ts'
import { readCast } from '../../../src/cast/member.ts'

const tagged = (...tags: readonly unknown[]) => ({ card: { tags } })
const members = readCast({
  a: tagged('Sea', 'book', 'all'),
  b: tagged('sea ', 'SEA', 'all'),
  c: tagged('book', 'sea', 'all', 'alone'),
  d: tagged('all', ''),
})
const shown = (chosen: readonly string[] = []) =>
  tagsAmong(members, chosen).map(({ name, count }) => `${name} ${count}`)

const having = (...chosen: string[]) => members.filter((one) => hasTags(one, chosen)).map(({ key }) => key)

test('tags that tell some from the others are counted, whatever their case, the commonest first', () => {
  expect(shown()).toEqual(['Sea 3', 'book 2'])
  expect(shown(['alone', 'all'])).toEqual(['all 4', 'Sea 3', 'book 2', 'alone 1'])
})

test('whoever is shown has every chosen tag', () => {
  expect(having('sea')).toEqual(['a', 'b', 'c'])
  expect(having('sea', 'book')).toEqual(['a', 'c'])
  expect(having()).toEqual(['a', 'b', 'c', 'd'])
})
