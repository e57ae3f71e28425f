import { expect, test } from 'vitest'

import type { Backbone } from '../../../src/model/decoder/backbone.ts'
import { scoreTokens } from '../../../src/model/decoder/score.ts'

const VOCABULARY = 8
const HIGH = 4
/** log of the probability that a backbone gives to the one token that it expects. */
const EXPECTED = HIGH - Math.log(Math.exp(HIGH) + VOCABULARY - 1)

/** Expects behind every token the next number. */
const counting = {
  shape: { vocabulary: VOCABULARY },
  logits(ids: readonly number[]) {
    const rows = new Float32Array(ids.length * VOCABULARY)
    ids.forEach((id, row) => (rows[row * VOCABULARY + ((id + 1) % VOCABULARY)] = HIGH))
    return Promise.resolve(rows)
  },
} as unknown as Backbone

test('a token is scored by what stands before it, and the first of all by nothing', async () => {
  const ids = [2, 3, 4, 0, 1]
  const scores = await scoreTokens(counting, ids, [true, true, true, true, true], null)
  const wanted = [EXPECTED, EXPECTED, EXPECTED - HIGH, EXPECTED]
  expect(scores).toHaveLength(wanted.length)
  wanted.forEach((score, index) => expect(scores[index]).toBeCloseTo(score, 5))
})

test('only what is asked for is scored, in its order', async () => {
  const scores = await scoreTokens(counting, [5, 1, 2, 7], [false, true, false, true], null)
  expect([...scores].map((score) => Math.round(score - EXPECTED))).toEqual([-HIGH, -HIGH])
  expect(await scoreTokens(counting, [5, 6], [true, false], null)).toHaveLength(0)
})
