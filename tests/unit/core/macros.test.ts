import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { fillMacros, hasMacro, unknownMacros } from '../../../src/core/macros.ts'

const names = { user: 'A$&nn', character: 'Bob', persona: 'a pilot' }
const at = new Date(2026, 4, 3, 16, 5, 9).getTime()

const fill = (text: string, values = {}): string => fillMacros(text, { ...names, at, ...values })

/** Texts and what they are with their macros filled; the twin's tests expect the same. */
const cases = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/macros.json'), 'utf8'),
) as readonly { readonly about: string; readonly text: string; readonly filled: string }[]

test.each(cases)('$about', ({ text, filled }) => {
  expect(fill(text, { seed: 5 })).toBe(filled)
})

test('what is filled in is never read as a macro', () => {
  const hostile = { user: '{{char}} $1', character: '{{user}}' }
  expect(fillMacros('{{char}} and {{USER}}', hostile)).toBe('{{user}} and {{char}} $1')
  expect(fillMacros('{{random:{{char}},{{char}}}}', hostile)).toBe('{{user}}')
})

test('a moment is told in another zone', () => {
  const utc = Date.UTC(2026, 4, 3, 23, 30)
  expect(fill('{{time_UTC+2}} {{time_utc-3}}', { at: utc })).toBe('1:30 AM 8:30 PM')
})

function results(text: string): ReadonlySet<string> {
  return new Set(Array.from({ length: 64 }, (_, seed) => fill(text, { seed })))
}

describe('by lot', () => {
  test('every choice comes, and nothing else', () => {
    expect(results('{{random:a lamp,a clock}}')).toEqual(new Set(['a lamp', 'a clock']))
    expect(results('{{ Random :: a,b :: c }}')).toEqual(new Set(['a,b', 'c']))
    expect(results('{{pick: a\\,b , {{random:c,d}} }}')).toEqual(new Set(['a,b', 'c', 'd']))
    expect(results('{{roll:d6}}')).toEqual(new Set(['1', '2', '3', '4', '5', '6']))
    expect(results('{{roll 2d2-1}}')).toEqual(new Set(['1', '2', '3']))
  })

  test('the same seed gives the same, and two macros of a text draw apart', () => {
    const text = '{{roll:1000000}}'
    expect(fill(text, { seed: 5 })).toBe(fill(text, { seed: 5 }))
    const [first, second] = fill(`${text} ${text}`, { seed: 5 }).split(' ')
    expect(first).not.toBe(second)
  })
})

test('what is not known is named once, also within others', () => {
  const texts = ['{{getvar::a}} {{user}} {{random:{{GetVar::b}},x}}', '{{#if a}} {{char}} {{time_UTC+1}}']
  expect(unknownMacros(texts)).toEqual(['{{getvar}}', '{{#if}}'])
})

test('a macro is found in any case, also within another', () => {
  expect(hasMacro('{{ Original }}', 'original')).toBe(true)
  expect(hasMacro('{{random:{{ORIGINAL}},x}}', 'original')).toBe(true)
  expect(hasMacro('{original}', 'original')).toBe(false)
})

test('any text is filled in the end, however its braces stand, and one without macros stays', () => {
  const part = fc.constantFrom(
    '{',
    '}',
    '{{',
    '}}',
    'random:',
    ',',
    '::',
    'char',
    '\n',
    'trim',
    '<user>',
    'x ',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const text = parts.join('')
      const filled = fill(text)
      const isPlain = !text.includes('{{') && !text.includes('<user>')
      expect(!isPlain || filled === text).toBe(true)
      expect(fill(text)).toBe(filled)
    }),
    { seed: 20261129, numRuns: 500 },
  )
  const deep = '{{random:'.repeat(20_000)
  expect(fill(deep)).toBe(deep)
  expect(fill(deep + '}}'.repeat(20_000))).toContain('{{random:')
})
