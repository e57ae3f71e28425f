import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { DatasetDialogue } from '../../../src/formats/dataset/reading.ts'
import { splitDialogues } from '../../../src/train/data/split.ts'

function dialogue(role: string, user: string, reply: string, split?: 'train' | 'test'): DatasetDialogue {
  const turns = [
    { speaker: 'user', text: user },
    { speaker: 'role', text: reply },
  ] as const
  return { role, turns, line: 1, ...(split && { split }) }
}

const many = (role: string, count: number): DatasetDialogue[] => {
  return Array.from({ length: count }, (_, index) => dialogue(role, `${role} ${index}?`, `${role} ${index}!`))
}

const plain = (each: string): string => each.toLowerCase().replaceAll(/[^a-z]/g, '')

function heldOut(dialogues: readonly DatasetDialogue[], role: string, seed = 42): number {
  return splitDialogues(dialogues, seed).filter((each) => each.role === role && each.split === 'test').length
}

describe('the held-out split', () => {
  test('holds out a fifth of every role, none of a role of two', () => {
    const all = [...many('Alice', 50), ...many('Hatter', 23), ...many('Cat', 3), ...many('Hare', 2)]
    expect(['Alice', 'Hatter', 'Cat', 'Hare'].map((role) => heldOut(all, role))).toEqual([10, 5, 1, 0])
  })

  test('depends on the seed alone', () => {
    const all = many('Alice', 50)
    expect(splitDialogues(all, 1)).toEqual(splitDialogues(all, 1))
    expect(splitDialogues(all, 1)).not.toEqual(splitDialogues(all, 2))
  })

  test('respects rows that say where they belong, and counts them', () => {
    const marked = many('Alice', 4).map((each) => ({ ...each, split: 'test' as const }))
    const all = [...marked, dialogue('Alice', 'Alice 0?', 'kept', 'train'), ...many('Hatter', 5)]
    const split = splitDialogues([...all, ...many('Alice', 15).slice(5)], 42)
    expect(split.slice(0, 5).map((each) => each.split)).toEqual(['test', 'test', 'test', 'test', 'train'])
    // Fifteen rows of Alice have room for three, and four are marked.
    expect(split.filter((each) => each.role === 'Alice' && each.split === 'test')).toHaveLength(4)
  })

  test('an unmarked copy of a held-out row is held out', () => {
    const copy = dialogue('Alice', 'Alice 0', 'something else')
    const all = [...many('Alice', 1).map((each) => ({ ...each, split: 'test' as const })), copy]
    expect(splitDialogues(all, 42).map((each) => each.split)).toEqual(['test', 'test'])
  })

  test('a text never stands on both sides, whatever its case and punctuation (seed 5)', () => {
    const text = fc.constantFrom(
      'hello',
      'Hello!',
      'tea?',
      'Tea',
      'why',
      'Why?!',
      'one',
      'two',
      'three',
      '...',
    )
    const row = fc
      .tuple(fc.constantFrom('Alice', 'Hatter'), text, text)
      .map(([role, user, reply]) => dialogue(role, user, reply))
    fc.assert(
      fc.property(fc.array(row, { maxLength: 60 }), fc.nat(1000), (dialogues, seed) => {
        const split = splitDialogues(dialogues, seed)
        expect(split.map(({ role, turns }) => [role, turns])).toEqual(
          dialogues.map(({ role, turns }) => [role, turns]),
        )
        for (const side of [0, 1]) {
          const texts = (wanted: string) =>
            new Set(
              split.filter((each) => each.split === wanted).map((each) => plain(each.turns[side]!.text)),
            )
          const both = [...texts('train')].filter((each) => each !== '' && texts('test').has(each))
          expect(both).toEqual([])
        }
        for (const role of ['Alice', 'Hatter']) {
          const own = split.filter((each) => each.role === role)
          const count = own.filter((each) => each.split === 'test').length
          expect(count).toBeLessThanOrEqual(Math.max(1, Math.round(own.length / 5)))
        }
      }),
      { seed: 5, numRuns: 200 },
    )
  })
})
