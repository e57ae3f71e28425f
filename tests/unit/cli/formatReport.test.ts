import { expect, test } from 'vitest'

import { formatReport } from '../../../src/cli/formatReport.ts'
import type { Evaluation } from '../../../src/evaluate/evaluate.ts'

const none = { r: 0, p: 0, f: 0 }
const voice: Evaluation = {
  roles: ['Alice', 'Long John Silver'],
  nll: { bare: 3, prompted: 2.5, role: 2 },
  roleSwap: {
    matrix: [
      [1, 2],
      [4, 3],
    ],
    accuracy: 1,
    margin: 1,
    perReply: 0.75,
  },
  roleIdentification: { accuracy: null, ceiling: null, floor: null },
  distinct2: 0.5,
  bleu: 0.1,
  rouge: 0.2,
  details: {
    replies: 20,
    generations: 8,
    nllByRole: { bare: [2, 4], prompted: [2, 3], role: [1, 3] },
    bleu: [0.4, 0.3, 0.2, 0.1],
    rouge: { rouge1: none, rouge2: none, rougeL: none },
    samples: [],
  },
}

test('the figures as a table: a line a role, means, what was measured', () => {
  expect(formatReport(voice).split('\n')).toEqual([
    'NLL                   bare  prompted      role',
    'Alice                2.000     2.000     1.000',
    'Long John Silver     4.000     3.000     3.000',
    'mean                 3.000     2.500     2.000',
    '',
    'role swap: accuracy 1.000, a reply 0.750, margin 1.000',
    'role named: generated -, held out -, bare -, chance 0.500',
    'distinct-2 0.500, BLEU-4 0.100, ROUGE-L 0.200',
    '20 replies measured, 8 generated',
    '',
  ])
})

test('the measures of sense, each with what it stands between', () => {
  const shares = { accuracy: 0.5, ceiling: 0.9, floor: 0.125, margin: 0.2, answers: 8 }
  const text = formatReport({
    relevance: { ...shares, splits: { test: { ...shares, accuracy: 0.25 }, wording: null }, samples: [] },
    facts: { accuracy: 0.75, contradicted: 0.125, asked: 16, byRole: [], answers: [] },
    conversation: { repeats: 0.25, contradicts: 0, names: 0.5, turns: 8, chats: [] },
  })
  expect(text.split('\n')).toEqual([
    'relevance: generated 0.500, own answers 0.900, shuffled 0.125, 8 answers',
    '  unseen questions: generated 0.250, own answers 0.900, shuffled 0.125, 8 answers',
    'facts: right 0.750, contradicted 0.125, 16 asked',
    'conversation: repeat 0.250, contradict 0.000, name another 0.500, 8 turns',
    '',
  ])
})
