import { describe, expect, test } from 'vitest'

import { speakersAfter, talkativenessOf } from '../../../src/cast/turnTaking.ts'
import type { Speakable, SpokenLine } from '../../../src/cast/turnTaking.ts'
import { Random } from '../../../src/core/random.ts'
import type { TurnOrder } from '../../../src/storage/records.ts'

const member = (name: string, talkativeness = 0, isMuted = false): Speakable => {
  return { key: name, name, talkativeness, isMuted }
}
const cast = ['Alice', 'Count Dracula', 'Elizabeth I', 'Long John Silver'].map((name) => member(name))
const visitor = (text: string): SpokenLine => ({ speaker: 'user', key: null, text })
const by = (key: string, text = 'Well.'): SpokenLine => ({ speaker: 'role', key, text })

interface Options {
  readonly order?: TurnOrder
  readonly members?: readonly Speakable[]
  readonly repliesToSelf?: boolean
  readonly isPrompted?: boolean
  readonly seed?: number
}
const after = (lines: readonly SpokenLine[], options: Options = {}): readonly string[] => {
  const { order = 'natural', members = cast, repliesToSelf = false, isPrompted = false, seed = 1 } = options
  return speakersAfter(lines, { members, order, repliesToSelf, isPrompted }, new Random(seed))
}
/** Everybody who comes of a hundred seeds. */
const everAfter = (lines: readonly SpokenLine[], options: Options): ReadonlySet<string> =>
  new Set(Array.from({ length: 100 }, (_, seed) => after(lines, { ...options, seed })).flat())

describe('in turn', () => {
  test('everybody speaks, in their order, but those who are muted', () => {
    const members = [member('Tom'), member('Orla', 1, true), member('Ann')]
    expect(after([visitor('Orla?')], { order: 'list', members })).toEqual(['Tom', 'Ann'])
    expect(after([by('Tom')], { order: 'list', members })).toEqual(['Tom', 'Ann'])
  })
})

describe('by being named', () => {
  test.each([
    ['Dracula, and you, Alice?', ['Count Dracula', 'Alice']],
    ['hey dracula', ['Count Dracula']],
    ['What of it, Elizabeth?', ['Elizabeth I']],
    ['I have a malice, Silver', ['Long John Silver']],
    ['Count me in', ['Count Dracula']],
  ])('%s', (text, expected) => {
    expect(after([visitor(text)])).toEqual(expected)
  })

  test.each(['I am here', 'how long, and how many do you count?', 'malice'])('nobody is by “%s”', (text) => {
    expect(everAfter([visitor(text)], {}).size).toBeGreaterThan(1)
    expect(after([visitor(text)])).toHaveLength(1)
  })

  test('a name is found where no blank parts the words', () => {
    const members = [member('爱丽丝'), member('福尔摩斯')]
    expect(after([visitor('福尔摩斯你好，爱丽丝呢？')], { members })).toEqual(['福尔摩斯', '爱丽丝'])
  })

  test('nobody answers to their own name, unless they may', () => {
    const lines = [by('Alice', 'Alice said so.')]
    expect(everAfter(lines, {})).not.toContain('Alice')
    expect(after(lines, { repliesToSelf: true })).toEqual(['Alice'])
  })

  test('whoever is muted is not called', () => {
    const members = [member('Tom', 0, true), member('Orla')]
    expect(after([visitor('Tom?')], { members })).toEqual(['Orla'])
  })
})

describe('by talkativeness', () => {
  test('the talkative always speak, behind those who are named, the shy never', () => {
    const members = [member('Tom', 1), member('Orla', 0), member('Ann', 1)]
    expect(everAfter([visitor('Well?')], { members })).toEqual(new Set(['Tom', 'Ann']))
    expect(after([visitor('Orla?')], { members })[0]).toBe('Orla')
    expect(after([visitor('Orla?')], { members })).toHaveLength(3)
  })

  test('one half of them as often as not', () => {
    const members = [member('Tom', 0.5), member('Orla', 0.5)]
    const rounds = Array.from({ length: 400 }, (_, seed) => after([visitor('Well?')], { members, seed }))
    const both = rounds.filter(({ length }) => length === 2).length
    expect(both).toBeGreaterThan(70)
    expect(both).toBeLessThan(130)
    expect(rounds.every(({ length }) => length > 0)).toBe(true)
  })

  test.each([
    [{ talkativeness: '0.25' }, 0.25],
    [{ talkativeness: 1 }, 1],
    [{ talkativeness: 7 }, 1],
    [{ talkativeness: -1 }, 0],
    [{ talkativeness: '' }, 0.5],
    [{ talkativeness: 'much' }, 0.5],
    [{}, 0.5],
  ])('%j on a card is %d', (extensions, expected) => {
    expect(talkativenessOf({ extensions })).toBe(expected)
  })

  test('whoever has no card is as talkative as others', () => {
    expect(talkativenessOf(null)).toBe(0.5)
  })
})

describe('one at a time', () => {
  const members = [member('Tom'), member('Orla'), member('Ann', 1, true)]

  test('somebody speaks who has not since the visitor did', () => {
    expect(everAfter([by('Tom'), visitor('Well?')], { order: 'pooled', members })).toEqual(
      new Set(['Tom', 'Orla']),
    )
    expect(everAfter([visitor('Well?'), by('Tom')], { order: 'pooled', members })).toEqual(new Set(['Orla']))
  })

  test('then anybody, but not the same once more', () => {
    const lines = [visitor('Well?'), by('Tom'), by('Orla')]
    expect(everAfter(lines, { order: 'pooled', members })).toEqual(new Set(['Tom']))
  })
})

describe('by hand', () => {
  test('nobody speaks by themselves, and one where they are to go on', () => {
    expect(after([visitor('Alice?')], { order: 'manual' })).toEqual([])
    expect(after([visitor('Alice?')], { order: 'manual', isPrompted: true })).toHaveLength(1)
    const members = [member('Tom'), member('Orla')]
    expect(everAfter([by('Tom')], { order: 'manual', isPrompted: true, members })).toEqual(new Set(['Orla']))
  })

  test('whoever is there alone goes on', () => {
    const members = [member('Tom'), member('Orla', 0, true)]
    expect(after([by('Tom')], { order: 'manual', isPrompted: true, members })).toEqual(['Tom'])
    expect(after([by('Tom')], { members })).toEqual(['Tom'])
    expect(after([by('Tom')], { members: [member('Orla', 1, true)] })).toEqual([])
  })
})
