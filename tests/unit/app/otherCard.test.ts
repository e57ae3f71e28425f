import { expect, test } from 'vitest'

import { otherCard } from '../../../app/shared/deviceAdvice.ts'

test.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36', /Windows chooses/],
  ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', /menu of its icon/],
])('%s: how to have the other of two cards', (userAgent, words) => {
  expect(otherCard(userAgent)).toMatch(words)
})

test.each(['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)', 'Mozilla/5.0 (Linux; Android 16; Pixel 9)'])(
  '%s: there is nothing to choose',
  (userAgent) => {
    expect(otherCard(userAgent)).toBeNull()
  },
)
