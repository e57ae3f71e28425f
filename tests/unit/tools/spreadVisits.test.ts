import { expect, test } from 'vitest'

import { spread } from '../../../tools/spreadVisits.ts'

const costOf = (other: string): number => (other === 'G' ? 4 : 1)

test('few are spread over what the others take, the first before all', () => {
  const others = 'G G G u u u u u u u u u u u u'.split(' ')
  expect(spread(['1', '2', '3'], others, costOf).join('')).toBe('1GG2Guuuu3uuuuuuuu')
})

test('nothing is lost where there is nothing among which to spread, or nothing to be spread', () => {
  expect(spread(['1', '2'], [], costOf)).toEqual(['1', '2'])
  expect(spread([], ['u', 'G'], costOf)).toEqual(['u', 'G'])
})
