import { expect, test } from 'vitest'

import { findingLines } from '../../../src/cli/check.ts'
import type { Finding } from '../../../src/cli/check.ts'

const found: Finding = {
  model: 'tiny',
  knownAnswers: { count: 18, wrong: [] },
  reason: null,
  isSame: true,
  nmse: 2e-4,
  nmseUnrounded: null,
  firstDifferentToken: null,
  kernels: [7, 8],
  onnxruntime: [7, 8],
  tokensPerSecond: { kernels: 20, onnxruntime: 10 },
  halves: null,
}

test('what is found is told in lines', () => {
  expect(findingLines(found)).toEqual([
    'tiny: our kernels and onnxruntime on the same prompt',
    'logits: NMSE 2.0e-4, the same model',
    'the likeliest 2 tokens: all the same',
    'ours 20.0 tokens a second, onnxruntime on the processor 10.0 tokens a second',
    '18 known answers of our kernels: all right',
  ])
  const wrong = { ...found, knownAnswers: { count: 18, wrong: ['norm', 'cache'] } }
  expect(findingLines(wrong).at(-1)).toBe('18 known answers of our kernels: WRONG: norm, cache')
  const rounded = { ...found, nmse: 3e-2, nmseUnrounded: 1.6e-11, firstDifferentToken: 1 }
  expect(findingLines(rounded).slice(1, 3)).toEqual([
    'logits: NMSE 1.6e-11 by rows as they are, the same model; 3.0e-2 by rows rounded to 8 bits, as the graph has them',
    'the likeliest 2 tokens: the same up to token 1',
  ])
  expect(findingLines({ ...found, isSame: false, nmse: 0.5 })[1]).toBe(
    'logits: NMSE 5.0e-1, NOT the same model',
  )
  const unknown = { ...found, reason: 'it is no decoder', kernels: null, nmse: null }
  expect(findingLines({ ...unknown, tokensPerSecond: { kernels: null, onnxruntime: 10 } })).toEqual([
    'tiny: our kernels do not compute it: it is no decoder',
    'onnxruntime on the processor answers, 10.0 tokens a second',
  ])
})
