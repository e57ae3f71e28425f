import { afterAll, expect, test } from 'vitest'

import { paceDawn } from '../../../src/cli/paceDawn.ts'

const { setImmediate: before } = globalThis
afterAll(() => {
  globalThis.setImmediate = before
})

test('what an addon asks for comes after a rest, everybody else’s at once, with its words', async () => {
  const immediate = before(() => undefined).constructor
  const timer = setTimeout(() => undefined).constructor
  paceDawn()
  // It has no name and shows no source, as a function of an addon's.
  expect(setImmediate(Function.prototype as () => void).constructor).toBe(timer)
  const heard = await new Promise((hear) => {
    const asked = setImmediate((word: string) => hear(word), 'a word')
    expect(asked.constructor).toBe(immediate)
  })
  expect(heard).toBe('a word')
})

test('a second call changes nothing', () => {
  const { setImmediate: once } = globalThis
  paceDawn()
  expect(globalThis.setImmediate).toBe(once)
})
