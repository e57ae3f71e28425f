import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { readDataset } from '../../../src/formats/dataset.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import { previewDataset } from '../../../src/train/preview.ts'
import { splitDialogues } from '../../../src/train/split.ts'

const root = resolve(import.meta.dirname, '../../../public/models/starter')
const json = (name: string): unknown => JSON.parse(readFileSync(resolve(root, name), 'utf8'))
const codec = {
  tokenizer: loadTokenizer(json('tokenizer.json'), json('tokenizer_config.json')),
  template: loadChatTemplate(json('tokenizer_config.json')),
}

const exchanges = Array.from({ length: 10 }, (_, index) => {
  const long = index === 3 ? ' and so on'.repeat(40) : ''
  return {
    role: index < 5 ? 'Alice' : 'Hatter',
    messages: [
      { role: 'system', content: 'dropped' },
      { role: 'user', content: `Question ${index}?` },
      { role: 'assistant', content: `Answer ${index}${long}.` },
    ],
  }
})
const text = [...exchanges.map((row) => JSON.stringify(row)), 'not JSON'].join('\n')

const options = { codec, systemOf: (role: string) => `You are ${role}.` }

test('counts roles, lengths, cuts, rejected rows and dropped system turns', () => {
  const reading = readDataset(text, 'a.jsonl')
  const preview = previewDataset(reading, splitDialogues(reading.dialogues, 42), {
    ...options,
    maxTokens: 64,
  })
  expect(preview.dialogues).toBe(10)
  expect(preview.roles).toEqual([
    { role: 'Alice', train: 4, test: 1, replies: 5 },
    { role: 'Hatter', train: 4, test: 1, replies: 5 },
  ])
  expect(preview.droppedSystemTurns).toBe(10)
  expect(preview.rejected).toEqual([{ line: 11, reason: 'it is not valid JSON' }])
  expect(preview.cut).toMatchObject({ dialogues: 1, turns: 0 })
  const { measured, median, longest, histogram } = preview.tokens
  expect([measured, preview.cut.tokens]).toEqual([10, longest - 64])
  expect(median).toBeLessThan(64)
  expect(histogram.at(-1)).toEqual({ from: 65, to: longest + 1, count: 1 })
  expect(histogram.reduce((sum, { count }) => sum + count, 0)).toBe(10)
  for (const [index, bin] of histogram.entries()) expect(bin.from).toBe(histogram[index - 1]?.to ?? 0)
})

test('names the dialogues of which no reply fits', () => {
  const reading = readDataset(text, 'a.jsonl')
  const preview = previewDataset(reading, splitDialogues(reading.dialogues, 42), { ...options, maxTokens: 8 })
  expect(preview.rejected).toHaveLength(11)
  expect(preview.rejected[0]).toEqual({ line: 1, reason: 'no word of Alice’s reply fits into 8 tokens' })
})

test('measures evenly spread dialogues of a large data set', () => {
  const reading = readDataset(text, 'a.jsonl')
  const split = splitDialogues(reading.dialogues, 42)
  const preview = previewDataset(reading, split, { ...options, maxTokens: 64, mostMeasured: 4 })
  expect([preview.dialogues, preview.tokens.measured]).toEqual([10, 4])
})
