import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { readDatasetReport } from '../../../src/engine/readDatasetReport.ts'
import { loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import type { TextModel } from '../../../src/model/chatModel.ts'

const root = resolve(import.meta.dirname, '../../../public/models/starter')
const json = (name: string): unknown => JSON.parse(readFileSync(resolve(root, name), 'utf8'))
const model = {
  tokenizer: loadTokenizer(json('tokenizer.json'), json('tokenizer_config.json')),
  template: loadChatTemplate(json('tokenizer_config.json')),
} as TextModel

test('lengths and cuts count the line that training puts in front', () => {
  const text = JSON.stringify({ role: 'Alice', instruction: 'Who are you?', output: 'I hardly know, sir.' })
  const report = (system: string | null, maxTokens: number) =>
    readDatasetReport(
      { text, fileName: 'a.jsonl', roleName: null, columns: null, maxTokens, seed: 1, system },
      model,
    )
  const [whole = 0] = report('You are {name}.', 256).lengths
  expect(report(null, whole - 2).cut.rows).toBe(0)
  expect(report('You are {name}.', whole - 2).cut).toEqual({ rows: 1, turns: 0, tokens: 2 })
})
