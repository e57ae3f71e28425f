import { describe, expect, test } from 'vitest'

import { idList, integerOption, parseArguments } from '../../../src/cli/arguments.ts'

const known = { values: ['seed', 'out'], flags: ['greedy'] }

test('options take the next word, flags stand alone, the rest are operands', () => {
  const { operands, options } = parseArguments(['a', '--seed', '--5', '--greedy', 'b'], known)
  expect(operands).toEqual(['a', 'b'])
  expect([...options]).toEqual([
    ['seed', '--5'],
    ['greedy', ''],
  ])
})

test('a value may stand behind an equals sign, be empty or begin like an option', () => {
  const { options } = parseArguments(['--seed=7', '--out', '-'], known)
  expect([...options]).toEqual([
    ['seed', '7'],
    ['out', '-'],
  ])
  expect([...parseArguments(['--out', ''], known).options]).toEqual([['out', '']])
})

test.each([
  [['--sed', '5'], 'there is no option --sed here'],
  [['--seed'], '--seed needs a value after it'],
  [['--greedy', '--greedy'], '--greedy is given twice'],
  [['--greedy=yes'], '--greedy takes no value'],
  [['-s', '5'], 'there is no option -s here'],
  [['--no-greedy'], 'there is no option --no-greedy here'],
])('%j is refused', (words, message) => {
  expect(() => parseArguments(words, known)).toThrow(message)
})

const read = (text: string): number =>
  integerOption(new Map([['seed', text]]), 'seed', 7, { least: 1, most: 100 })

describe('a whole number', () => {
  test('is read, or the default', () => {
    expect(read('100')).toBe(100)
    expect(integerOption(new Map(), 'seed', 7, { least: 1 })).toBe(7)
  })

  test.each(['-4', '0', '101', '1.5', '1e9', '', 'abc'])('is not %j', (text) => {
    expect(() => read(text)).toThrow('--seed is')
  })
})

test.each(['', '1,,2', '1;2', '-1', '9999999999999999999'])('%j is no list of token ids', (text) => {
  expect(() => idList(text, 'ids')).toThrow('expected token ids')
})

test('an option that may be repeated keeps all that it was given, in order', () => {
  const { options, lists } = parseArguments(['--stop', 'b', '--seed', '1', '--stop=a'], {
    ...known,
    repeated: ['stop'],
  })
  expect([...options]).toEqual([['seed', '1']])
  expect(lists.get('stop')).toEqual(['b', 'a'])
  expect(() => parseArguments(['--stop'], { ...known, repeated: ['stop'] })).toThrow('--stop needs a value')
})
