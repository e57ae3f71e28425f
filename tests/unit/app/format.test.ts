import { expect, test } from 'vitest'

import { duration } from '../../../app/shared/format.ts'

test.each([
  [0.31, '310 ms'],
  [2.34, '2.3 s'],
  [41.6, '42 s'],
  [89.9, '90 s'],
  [90, '2 min'],
  [5399, '90 min'],
  [5400, '2 hours'],
  [30_000, '8 hours'],
  [200_000, '2 days'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text)
})
