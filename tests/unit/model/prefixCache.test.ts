import { expect, test } from 'vitest'

import { PrefixCache } from '../../../src/model/decoder/prefixCache.ts'

const ada = { parts: [{ role: 0, weight: 1 }], strength: 1 }

test('knows how much of a text it holds, for the one it was computed for', () => {
  const cache = new PrefixCache(8, 100)
  cache.startAt(0, ada)
  expect(cache.take([1, 2, 3])).toBe(0)
  expect(cache.take([4])).toBe(3)
  expect(cache.common([1, 2, 9], ada)).toBe(2)
  expect(cache.common([1, 2, 3, 4, 5], ada)).toBe(4)
  expect(cache.common([1, 2], ada)).toBe(2)
  // The same role, weaker, computes other keys and values.
  expect(cache.common([1, 2], { ...ada, strength: 0.5 })).toBe(0)
  expect(cache.common([1, 2], null)).toBe(0)
})

test('forgets from a position on, and everything', () => {
  const cache = new PrefixCache(8, 100)
  cache.startAt(0, ada)
  cache.take([1, 2, 3])
  cache.cut(7)
  expect(cache.length).toBe(3)
  cache.cut(2)
  expect(cache.common([1, 2, 3], ada)).toBe(2)
  cache.startAt(1, null)
  expect(cache.common([1], ada)).toBe(0)
  cache.clear()
  expect(cache.length).toBe(0)
})

test('refuses what has no room or is no token', () => {
  const cache = new PrefixCache(4, 10)
  cache.take([1, 2, 3])
  expect(() => cache.take([4, 5])).toThrow('5 tokens were to be read, this backbone holds 4 here')
  for (const id of [-1, 10, 1.5, Number.NaN]) expect(() => cache.take([id])).toThrow('outside the vocabulary')
  expect(cache.length).toBe(3)
  expect(() => cache.expectPrompt([])).toThrow('the prompt is empty')
  expect(() => cache.expectPrompt([1, 2, 3, 4])).toThrow('the prompt has 4 tokens')
})
