import { expect, test } from 'vitest'

import { decodingOf } from '../../../src/cli/generate.ts'

test('guidance by the role is an option like the others, and leads alone', () => {
  expect(decodingOf(new Map([['role-guidance', '1.5']]))).toEqual({ roleGuidance: 1.5 })
  const both = new Map([
    ['guidance', '0.5'],
    ['role-guidance', '1.5'],
  ])
  expect(() => decodingOf(both)).toThrow('--guidance and --role-guidance do not go together')
})
