import { expect, test } from 'vitest'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'

test('a failure is plain data: the code and the words of what was thrown, or the code of the place', () => {
  const own = new HycoraError('storage-full', 'no room', { cause: new Error('quota') })
  expect(failureOf(own, 'usage')).toStrictEqual({ code: 'storage-full', message: 'no room' })
  expect(failureOf(new TypeError('odd'), 'usage')).toStrictEqual({ code: 'usage', message: 'odd' })
  expect(failureOf('words', 'usage')).toStrictEqual({ code: 'usage', message: 'words' })
})
