import { describe, expect, test } from 'vitest'

import { ownField, parseStrictJson } from '../../../src/core/json.ts'

const INVALID = expect.objectContaining({
  code: 'format-invalid',
  message: expect.stringContaining('the text'),
})

describe('strict JSON', () => {
  test.each([
    '{"a":[1,-0.5e3,true,false,null,"x\\"y\\\\"],"b":{"a":{"a":0}}}',
    ' { "a" : "b" , "b" : [ "a" , "a" ] } ',
    '"text with { [ , : in it"',
    '[]',
    '"\\ud83d\\ude00"',
  ])('%s means what it says', (json) => {
    expect(parseStrictJson(json, 'the text')).toEqual(JSON.parse(json))
  })

  test.each([
    '',
    '{',
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"b":{"x":[],"y":0,"x":1}}]',
    '"\\ud83d"',
    '{"\\ude00":1}',
    '['.repeat(129) + ']'.repeat(129),
  ])('%s is refused', (json) => {
    expect(() => parseStrictJson(json, 'the text')).toThrow(INVALID)
  })

  test.each(['[1.0]', '[1e3]', '[-0]', '[-1]', '{"a":0.5}'])('%s is no list of naturals', (json) => {
    expect(() => parseStrictJson(json, 'the text', { naturalsOnly: true })).toThrow(INVALID)
    expect(parseStrictJson('[0,10,"-1.5"]', 'the text', { naturalsOnly: true })).toEqual([0, 10, '-1.5'])
  })

  test('megabytes of one string are read', () => {
    const json = JSON.stringify({ text: 'a\\"\n'.repeat(2 ** 20) })
    expect(parseStrictJson(json, 'the text')).toEqual(JSON.parse(json))
  })

  test('an own field is not an inherited one', () => {
    expect(ownField({}, 'constructor')).toBeUndefined()
    expect(ownField({ a: 1 }, 'a')).toBe(1)
    expect(ownField(JSON.parse('{"__proto__":2}') as Record<string, unknown>, '__proto__')).toBe(2)
  })
})
