import { expect, test } from 'vitest'

import { liftOf, timesText } from '../../../src/core/lift.ts'

test('a text that somebody makes e² times as likely a token has a lift of e², whatever its length', () => {
  expect(liftOf([-1, -2], [-3, -4])).toBeCloseTo(Math.exp(2), 12)
  expect(liftOf([-1, -2, -3], [-2, -4, -3])).toBeCloseTo(Math.exp(1), 12)
  expect(liftOf([-3], [-1])).toBeCloseTo(Math.exp(-2), 12)
})

test('no words are as likely from everybody', () => {
  expect(liftOf([], [])).toBe(1)
})

test.each([
  [12.4, '×12'],
  [3.44, '×3.4'],
  [1, '×1.0'],
  [0.62, '×0.6'],
  [0.043, '×0.04'],
])('%f is written %s', (times, text) => {
  expect(timesText(times)).toBe(text)
})
