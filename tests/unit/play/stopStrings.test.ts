import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { escapeLine, unescapeLine } from '../../../src/core/escapes.ts'
import { filterStops, textBefore } from '../../../src/play/stopStrings.ts'

/** What comes of a text in these pieces: what each gives, and how it ends. */
function pushed(stops: readonly string[], ...pieces: readonly string[]) {
  const filter = filterStops(stops)
  return { said: pieces.map((piece) => filter.push(piece)), isOver: filter.isOver }
}

test('a text ends before the first of the strings, wherever it is cut', () => {
  const stops = ['\nAnna:', 'END']
  expect(pushed(stops, 'Well.', '\nAn', 'na', ': Hm.', 'more')).toEqual({
    said: ['Well.', '', '', '', ''],
    isOver: true,
  })
  expect(pushed(stops, 'Well.\nAn', 'other day EN', 'D')).toEqual({
    said: ['Well.', '\nAnother day ', ''],
    isOver: true,
  })
  expect(pushed(stops, 'Well.\nAn', 'other day')).toEqual({ said: ['Well.', '\nAnother day'], isOver: false })
})

test.each([
  ['', ['x'], null],
  ['axbx', ['x', 'b'], 'a'],
  ['ab', [], null],
  ['ab', [''], null],
  ['Anna: Hm', ['Anna:'], ''],
  ['ba\n', ['ba\n', 'a'], 'b'],
  ['xab', ['b', 'ab'], 'x'],
  ['\n\n Well.\nMore', ['\n'], '\n\n Well.'],
  [' \n', ['\n'], null],
])('of %j with %j', (text, stops, before) => {
  expect(textBefore(text, stops)).toBe(before)
})

test('the pieces make up what the whole text is, however it comes', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 24 })
  const stop = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 6 }), fc.array(stop, { maxLength: 3 }), (pieces, stops) => {
      const { said, isOver } = pushed(stops, ...pieces)
      const before = textBefore(pieces.join(''), stops)
      expect(isOver).toBe(before !== null)
      const whole = before ?? pieces.join('')
      expect(whole.startsWith(said.join(''))).toBe(true)
      // Nothing but what may be a beginning is held back.
      const held = whole.slice(said.join('').length)
      const mayBegin = before === null && stops.some((one) => one.startsWith(held))
      expect(held === '' || mayBegin).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('a string is a line, and is had back from it', () => {
  expect(unescapeLine(String.raw`\n{{user}}:\t\\n \x`)).toBe('\n{{user}}:\t\\n \\x')
  expect(escapeLine('\n{{user}}:')).toBe(String.raw`\n{{user}}:`)
  const text = fc.string({ unit: fc.constantFrom('\\', 'n', 't', '\n', '\t', 'a') })
  fc.assert(
    fc.property(text, (whole) => {
      expect(unescapeLine(escapeLine(whole))).toBe(whole)
      expect(escapeLine(whole)).not.toContain('\n')
    }),
  )
})
