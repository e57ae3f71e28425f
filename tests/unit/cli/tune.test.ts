import { expect, test } from 'vitest'

import { tuneWith } from '../../../src/cli/bench/tune.ts'
import { CARD } from '../../../src/gpu/tuning.ts'

test('what is named is replaced, the rest stays', () => {
  expect(tuneWith(CARD, undefined)).toEqual(CARD)
  expect(tuneWith(CARD, 'manyRows=direct, outputLanes=2')).toEqual({
    ...CARD,
    manyRows: 'direct',
    outputLanes: 2,
  })
})

test.each([
  ['lanes=2', '--tune has no "lanes"; there are manyRows, '],
  ['toString=2', '--tune has no "toString"'],
  ['manyRows=tiles', '--tune manyRows is "tiles", expected tile or direct'],
  ['normLanes=48', '--tune normLanes is "48", expected a power of two up to 256'],
  ['stepsAhead=', '--tune stepsAhead is "", expected a power of two up to 4'],
  ['rowLanes=512', '--tune rowLanes is "512", expected a power of two up to 256'],
])('%s is refused', (text, message) => {
  expect(() => tuneWith(CARD, text)).toThrow(message)
})
