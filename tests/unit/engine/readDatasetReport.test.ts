import { expect, test } from 'vitest'

import { readDatasetReport } from '../../../src/engine/readDatasetReport.ts'
import { starterCodec } from '../../support/starterCodec.ts'

const model = { ...starterCodec(), fingerprint: '' }

test('lengths and cuts count the line that training puts in front', () => {
  const text = JSON.stringify({ role: 'Alice', instruction: 'Who are you?', output: 'I hardly know, sir.' })
  const report = (system: string | null, maxTokens: number) =>
    readDatasetReport(
      { files: [{ name: 'a.jsonl', text }], roleName: null, columns: null, maxTokens, seed: 1, system },
      model,
    )
  const [whole = 0] = report('You are {name}.', 256).lengths
  expect(report(null, whole - 2).cut.rows).toBe(0)
  expect(report('You are {name}.', whole - 2).cut).toEqual({ rows: 1, turns: 0, tokens: 2 })
})

test('rows are shown as they will be learnt, by turns alone where no model is loaded, and what was guessed is told', () => {
  const text = 'You: Who?\nMora (quietly): Me.\nYou: Where?\nMora (pointing): There.'
  const params = {
    files: [{ name: 'a.txt', text }],
    roleName: null,
    columns: null,
    maxTokens: 256,
    seed: 1,
    system: null,
  }
  const [sample] = readDatasetReport(params, model).samples
  const learnt = sample!.parts.filter(({ isLearnt }) => isLearnt).map((part) => part.text)
  expect(learnt).toEqual(['Me.', '<|im_end|>', 'There.', '<|im_end|>'])
  const bare = readDatasetReport(params, null)
  expect(bare.samples.map(({ line, tokens }) => [line, tokens])).toEqual([[1, null]])
  expect(bare.notes).toEqual(['Stage directions behind names are left out: (quietly), (pointing).'])
})

const row = (text: string): string => JSON.stringify({ role: 'Mora', instruction: `${text}?`, output: text })

test('of several files every row is told with its own, file by file', () => {
  const files = [
    { name: 'train.jsonl', text: `${row('a')}\n${row('b')}\n{}` },
    { name: 'dev.jsonl', text: `{}\n${row('c')}` },
  ]
  const params = { files, roleName: null, columns: null, maxTokens: 256, seed: 1, system: null }
  const report = readDatasetReport(params, model)
  expect(report.rejected.map(({ file, line }) => [file, line])).toEqual([
    ['train.jsonl', 3],
    ['dev.jsonl', 1],
  ])
  expect(report.roles).toEqual([{ name: 'Mora', train: 2, test: 1 }])
  expect(report.samples.map(({ file, line }) => [file, line])).toEqual([
    ['train.jsonl', 1],
    ['train.jsonl', 2],
  ])
})
