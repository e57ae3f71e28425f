import { describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { groupInquiries, inquiriesOf, judgeAnswer } from '../../../src/evaluate/relevance.ts'
import type { Inquiry } from '../../../src/evaluate/relevance.ts'

function inquiry(index: number, item = `item ${index}`): Inquiry {
  return { role: 'A', item, question: `Question ${index}?`, reply: `Answer ${index}.` }
}

const user = (text: string) => ({ speaker: 'user' as const, text })
const role = (text: string) => ({ speaker: 'role' as const, text })
const context = (text: string) => ({ ...role(text), isLearnt: false as const })

describe('questions that stand by themselves', () => {
  test('are an item’s, and those that open a chat', () => {
    const found = inquiriesOf([
      { role: 'A', split: 'test', turns: [user('One?'), role('Uno.'), user('And then?'), role('Due.')] },
      { role: 'A', split: 'test', turns: [context('Welcome.'), user('Two!'), role('Tre.')] },
      {
        role: 'B',
        split: 'test',
        item: 'three',
        turns: [user('Before?'), context('Yes.'), user('Three?'), role('Quattro.')],
      },
    ])
    expect(found).toEqual([
      { role: 'A', item: 'one', question: 'One?', reply: 'Uno.' },
      { role: 'A', item: 'two', question: 'Two!', reply: 'Tre.' },
      { role: 'B', item: 'three', question: 'Three?', reply: 'Quattro.' },
    ])
  })

  test('come in groups of nine, each asked once, no two of one item or in the same words', () => {
    const own = [
      ...Array.from({ length: 20 }, (_, index) => inquiry(index)),
      inquiry(30, 'item 3'),
      { ...inquiry(31), question: 'question 5' },
    ]
    const groups = groupInquiries(own, 12, new Random(1))
    expect(groups.map(({ asked }) => asked.length)).toEqual([9, 3])
    expect(groups.map(({ questions }) => new Set(questions).size)).toEqual([9, 9])
    for (const { asked, questions } of groups) expect(questions.slice(0, asked.length)).toEqual(asked)
    const asked = groups.flatMap((group) => group.asked)
    expect(new Set(asked.map(({ item }) => item)).size).toBe(12)
    const whole = groupInquiries(own, Infinity, new Random(1)).flatMap((group) => group.asked)
    expect(whole).toHaveLength(20)
  })

  test('of which there are few are held against what there is', () => {
    const groups = groupInquiries([inquiry(1), inquiry(2), inquiry(3)], 1, new Random(1))
    expect(groups.map(({ asked, questions }) => [asked.length, questions.length])).toEqual([[1, 3]])
  })
})

describe('the question that an answer is told to be for', () => {
  test('is the one under which it is likeliest, of eight', () => {
    // The ninth question, here the one before its own, is there for the floor alone.
    const scores = [-3, -3, -1, -2, -2, -2, -2, -2, -2]
    expect(judgeAnswer(scores, 2)).toEqual({
      isTold: true,
      isMistold: false,
      margin: -1 - (-1 - 2 * 6 - 3) / 8,
    })
    expect(judgeAnswer(scores, 4).isTold).toBe(false)
    expect(judgeAnswer(scores.with(3, -1.5), 3).isTold).toBe(true)
  })

  test('is none where two are equally likely', () => {
    expect(judgeAnswer([-1, -1, -2], 0).isTold).toBe(false)
    expect(judgeAnswer([0, 0, 0, 0], 1)).toEqual({ isTold: false, isMistold: false, margin: 0 })
  })

  test('is another where its own is left out and the next is likeliest', () => {
    expect(judgeAnswer([-1, -2, -3, -4], 0).isMistold).toBe(true)
    expect(judgeAnswer([-1, -3, -2, -4], 0).isMistold).toBe(false)
  })
})
