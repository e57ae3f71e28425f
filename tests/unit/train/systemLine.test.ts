import { expect, test } from 'vitest'

import { systemLine } from '../../../src/train/parameters/trainee.ts'

test('a role’s line has its name, whatever the name', () => {
  expect(systemLine('You are {name}, {name}.', 'Ada')).toBe('You are Ada, Ada.')
  expect(systemLine('You are {name}.', 'Ca$$h & $&')).toBe('You are Ca$$h & $&.')
})

test('or is its own, or none', () => {
  expect(systemLine({ Ada: 'Be Ada.' }, 'Ada')).toBe('Be Ada.')
  expect(systemLine({ Ada: 'Be Ada.' }, 'constructor')).toBeNull()
  expect(systemLine(null, 'Ada')).toBeNull()
})
