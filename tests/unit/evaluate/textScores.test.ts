import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { sentenceBleu } from '../../../src/evaluate/bleu.ts'
import { distinct2 } from '../../../src/evaluate/distinct.ts'
import { rougeOfMany } from '../../../src/evaluate/rouge.ts'
import type { RougeScores } from '../../../src/evaluate/rouge.ts'
import { bleuWords, rougeText } from '../../../src/evaluate/words.ts'

interface Golden {
  readonly hypothesis: string
  readonly references: readonly string[]
  readonly words: readonly string[]
  readonly bleu: readonly number[]
  /** Null where the package refuses an empty text. */
  readonly rouge: RougeScores | null
}

/** From Python, by `scale/experiments/text_scores.py`: nltk 3.10.4, rouge 1.0.1, sentences by Punkt's English model. */
const path = resolve(import.meta.dirname, '../../fixtures/textScores.json')
const goldens = JSON.parse(readFileSync(path, 'utf8')) as Golden[]

test('there are a hundred and more', () => expect(goldens.length).toBeGreaterThanOrEqual(100))

describe.each(goldens)(
  'the Python packages on "$hypothesis"',
  ({ hypothesis, references, words, bleu, rouge }) => {
    test('words', () => expect(bleuWords(hypothesis)).toEqual(words))

    test('BLEU', () => {
      const scores = sentenceBleu(references.map(bleuWords), bleuWords(hypothesis))
      scores.forEach((score, index) => expect(score).toBeCloseTo(bleu[index]!, 12))
    })

    test('ROUGE', () => {
      const scores = rougeOfMany(rougeText(hypothesis), references.map(rougeText))
      for (const key of ['rouge1', 'rouge2', 'rougeL'] as const) {
        for (const part of ['r', 'p', 'f'] as const)
          expect(scores[key][part]).toBeCloseTo(rouge?.[key][part] ?? 0, 12)
      }
    })
  },
)

test('distinct-2 counts pairs over all texts', () => {
  expect(distinct2(['a b a b', 'A b'])).toBe(2 / 4)
  expect(distinct2(['one', ''])).toBe(0)
})
