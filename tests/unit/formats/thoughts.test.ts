import { describe, expect, test } from 'vitest'

import { closingTag, filterThoughts, withoutThoughts } from '../../../src/formats/thoughts.ts'

const SAID: readonly (readonly [heard: string, said: string])[] = [
  ['Hello there.', 'Hello there.'],
  [' Hello\n', ' Hello\n'],
  ['<think>\nWho is it?\n</think>\n\nHello.', 'Hello.'],
  ['\n <think>Who?</think> Hello.', 'Hello.'],
  ['<think></think>\n\n<think>Again</think>Hello.', 'Hello.'],
  ['Well. <thinking>Hm</thinking> No.', 'Well. No.'],
  ['[THINK]Hm[/THINK]No.', 'No.'],
  ['<|START_THINKING|>Hm<|END_THINKING|>No.', 'No.'],
  ['<think>It never ends', ''],
  ['a <b> c < d <thin air', 'a <b> c < d <thin air'],
  ['<think>no </thin></think>yes', 'yes'],
  ['', ''],
  ['  ', '  '],
]

describe('what is thought', () => {
  test.each(SAID)('of %j leaves %j, however it comes', (heard, said) => {
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

  test('is told where it is open', () => {
    expect(closingTag('<|assistant|><think>\n')).toBe('</think>')
    expect(closingTag('<|assistant|><think></think>\n')).toBeNull()
    expect(closingTag('')).toBeNull()
  })
})
