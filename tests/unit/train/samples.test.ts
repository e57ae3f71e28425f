import { expect, test } from 'vitest'

import { formatSamples } from '../../../src/cli/preview.ts'
import type { SplitDialogue } from '../../../src/core/dialogue.ts'
import { encodeRow } from '../../../src/train/data/rows.ts'
import { sampleRows, sampleTurns } from '../../../src/train/data/samples.ts'
import { starterCodec } from '../../support/starterCodec.ts'

const codec = starterCodec()

function dialogue(role: string, line: number, split: SplitDialogue['split'] = 'train'): SplitDialogue {
  return {
    role,
    split,
    line,
    turns: [
      { speaker: 'user', text: `Who, ${line}?` },
      { speaker: 'role', text: 'Nobody.', isLearnt: false },
      { speaker: 'user', text: 'No, truly?' },
      { speaker: 'role', text: `${role}, it’s me 🦊.` },
    ],
  }
}

const dialogues = [
  ...Array.from({ length: 9 }, (_, index) => dialogue('Mora', index + 1, index === 0 ? 'test' : 'train')),
  dialogue('Tib', 12, 'test'),
]

function encoded() {
  return dialogues.map((one) => {
    const row = encodeRow(codec, one, 'You are here.', 256)
    if ('reason' in row) throw new Error(row.reason)
    return { dialogue: one, row }
  })
}

test('a handful of each role is shown as the model reads it, what is learnt apart', () => {
  const samples = sampleRows(codec, encoded())
  expect(samples.map(({ role, line, split }) => [role, line, split])).toEqual([
    ['Mora', 2, 'train'],
    ['Mora', 5, 'train'],
    ['Mora', 8, 'train'],
    ['Tib', 12, 'test'],
  ])
  const [first] = samples
  expect(first!.parts.map(({ text }) => text).join('')).toBe(
    '<|im_start|>system\nYou are here.<|im_end|>\n<|im_start|>user\nWho, 2?<|im_end|>\n' +
      '<|im_start|>assistant\nNobody.<|im_end|>\n<|im_start|>user\nNo, truly?<|im_end|>\n' +
      '<|im_start|>assistant\nMora, it’s me 🦊.<|im_end|>\n',
  )
  expect(first!.parts.filter(({ isLearnt }) => isLearnt)).toEqual([
    { text: 'Mora, it’s me 🦊.', isLearnt: true, isControl: false },
    { text: '<|im_end|>', isLearnt: true, isControl: true },
  ])
  expect(first!.tokens).toBe(encoded()[1]!.row.ids.length)
})

test('without a model the turns are shown, with no more than they say', () => {
  const [first, , , last] = sampleTurns(dialogues)
  expect(first!.parts.map(({ text, isLearnt }) => [text, isLearnt])).toEqual([
    ['Who, 2?\n', false],
    ['Nobody.\n', false],
    ['No, truly?\n', false],
    ['Mora, it’s me 🦊.\n', true],
  ])
  expect(last).toMatchObject({ role: 'Tib', line: 12, tokens: null })
})

test('as text, what is learnt stands in brackets', () => {
  const [first] = sampleRows(codec, encoded())
  const text = formatSamples([{ ...first!, file: 'a.jsonl', cut: { turns: 2, tokens: 0 } }])
  expect(text).toContain(
    `── Mora, a.jsonl line 2 (to learn, ${first!.tokens} tokens, 2 turns cut from the front)\n`,
  )
  expect(text).toContain('assistant\n⟦Mora, it’s me 🦊.<|im_end|>⟧\n')
  expect(text.match(/⟦/g)).toHaveLength(2)
})
