import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { closeThought, filterThoughts, withoutThoughts } from '../../../src/formats/thoughts.ts'

/** What is heard and what of it is said; prompts and what they are with their thought closed. The twin's tests expect the same. */
const cases = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/thoughts.json'), 'utf8'),
) as Readonly<Record<'said' | 'closed', readonly (readonly [before: string, after: string])[]>>

describe('what is thought', () => {
  test.each(cases.said)('of %j leaves %j, however it comes', (heard, said) => {
    expect(withoutThoughts(heard)).toBe(said)
    for (let size = 1; size <= heard.length; size++) {
      const filter = filterThoughts()
      let text = ''
      for (let at = 0; at < heard.length; at += size) {
        text += filter.push(heard.slice(at, at + size))
        expect(said.startsWith(text)).toBe(true)
      }
      expect(text + filter.end()).toBe(said)
    }
  })

  test('and began before the text falls with its end', () => {
    expect(withoutThoughts('Who is it?\n</think>\n\nHello.')).toBe('Hello.')
  })

  test.each(cases.closed)('is closed where a prompt opens it: %j', (open, closed) => {
    expect(closeThought(open)).toBe(closed)
  })
})
