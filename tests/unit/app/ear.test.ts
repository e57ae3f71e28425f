import { describe, expect, test } from 'vitest'

import { plainSpeech, sentenceEnds } from '../../../app/stores/chat/ear.ts'

function sentences(text: string, isWhole = false): readonly string[] {
  let from = 0
  return sentenceEnds(text, 0, { isWhole }).map((end) => {
    const sentence = text.slice(from, end).trim()
    from = end
    return sentence
  })
}

describe('what is read aloud', () => {
  test.each([
    ['Good evening. *He bows.* Do sit do', ['Good evening.', '*He bows.*']],
    ['3.5 miles', []],
    ['Mr. Holmes is out. ', []],
    ['Mr. Holmes is out. He', ['Mr. Holmes is out.']],
    ['A line without a point\nand', ['A line without a point']],
    ['A line without a point\n', ['A line without a point']],
    ['她说。我知', ['她说。']],
    ['  ', []],
  ])('comes by sentences that something follows: %j', (text, expected) => {
    expect(sentences(text)).toEqual(expected)
  })

  test('comes whole where nothing more is to come', () => {
    expect(sentences('Good evening. Do sit do', true)).toEqual(['Good evening.', 'Do sit do'])
    expect(sentences('Yes.\n\nNo. ', true)).toEqual(['Yes.', 'No.'])
    expect(sentences(' \n ', true)).toEqual([])
  })

  test('goes on where it was left', () => {
    const text = 'One. Two. Three. '
    const [first = 0] = sentenceEnds(text, 0)
    expect(sentenceEnds(text, first)).toEqual(sentenceEnds(text, 0).slice(1))
  })

  test('has no marks', () => {
    expect(plainSpeech(' *He bows.* **No.** ')).toBe('He bows. No.')
  })
})
