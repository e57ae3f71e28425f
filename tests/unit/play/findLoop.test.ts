import { describe, expect, test } from 'vitest'

import { findLoop } from '../../../src/play/findLoop.ts'

/** Tokens that never come again. */
const fresh = (count: number, from = 1000): number[] => Array.from({ length: count }, (_, i) => from + i)

describe('a loop', () => {
  test('is a sentence said twice, and ends behind the first time', () => {
    const sentence = fresh(20)
    const said = [...fresh(7, 1), ...sentence, ...sentence]
    expect(findLoop(said)).toBe(27)
    expect(findLoop(said.slice(0, -1))).toBeNull()
  })

  test('is a few words said again and again', () => {
    const said = [...fresh(5, 1), ...Array.from({ length: 30 }, (_, i) => [7, 8, 9][i % 3]!)]
    const first = said.findIndex((_, end) => findLoop(said.slice(0, end)) !== null)
    // Three words, and 18 of them again.
    expect(first).toBe(5 + 3 + 18)
    expect(findLoop(said.slice(0, first))).toBe(8)
  })

  test('is one word seventeen times', () => {
    expect(findLoop(Array.from({ length: 16 }, () => 4))).toBeNull()
    expect(findLoop(Array.from({ length: 17 }, () => 4))).toBe(1)
  })
})

test('a name that comes in every sentence is no loop', () => {
  const said = Array.from({ length: 40 }, (_, i) => [50, 51, ...fresh(6, 100 * i)]).flat()
  expect(said.map((_, end) => findLoop(said.slice(0, end)))).toEqual(said.map(() => null))
})
