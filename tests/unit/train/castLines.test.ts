import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readDataset } from '../../../src/formats/dataset.ts'
import { encodeRow } from '../../../src/train/data/rows.ts'
import { starterCodec } from '../../support/starterCodec.ts'

const path = resolve(import.meta.dirname, '../../../public/cast/lines.jsonl')
const lines = readFileSync(path, 'utf8').split('\n')
// Each with all its wordings, which have their answer in common.
const some = lines.slice(0, 60).join('\n')
const { dialogues } = readDataset(some, 'lines.jsonl')

test("the cast's lines are the same tokens whatever was read before them", () => {
  expect(dialogues.length).toBeGreaterThan(200)
  const line = 'You are Alice. Stay in character.'
  const used = starterCodec()
  const first = dialogues.map((dialogue) => encodeRow(used, dialogue, line, 384))
  // Backwards: of what was read last much is remembered, of what was read first nothing.
  const again = dialogues.toReversed().map((dialogue) => encodeRow(used, dialogue, line, 384))
  expect(again.toReversed()).toEqual(first)
  const apart = dialogues.filter((_, index) => index % 20 === 0)
  const fresh = apart.map((dialogue) => encodeRow(starterCodec(), dialogue, line, 384))
  expect(fresh).toEqual(first.filter((_, index) => index % 20 === 0))
})
