import { expect, test } from 'vitest'

import { fillMacros } from '../../../src/cast/macros.ts'

test('macros are replaced, and a name with a dollar sign is only a name', () => {
  const names = { user: 'A$&nn', character: 'Bob' }
  expect(fillMacros('{{char}} and <USER> met <bot>{{original}}; {{User}} left {{other}}', names)).toBe(
    'Bob and A$&nn met Bob; A$&nn left {{other}}',
  )
})

test('what is filled in is never read as a macro', () => {
  const names = { user: '{{char}} $1', character: '{{user}}' }
  expect(fillMacros('{{char}} and {{USER}}', names)).toBe('{{user}} and {{char}} $1')
})
