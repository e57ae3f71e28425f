import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { SpeechSpan } from '../../../app/chat/parseSpeech.ts'
import { parseSpeech } from '../../../app/chat/parseSpeech.ts'

/** Spans in a short notation: [kind: content]. */
const show = (spans: readonly SpeechSpan[]): string =>
  spans.map((span) => (span.kind === 'text' ? span.text : `[${span.kind}: ${show(span.spans)}]`)).join('')
const parse = (text: string, isStreaming = false): string =>
  parseSpeech(text, { isStreaming }).map(show).join(' ¶ ')

describe('speech', () => {
  test.each([
    ['Plain words.', 'Plain words.'],
    ['*She nods.* Yes.', '[action: She nods.] Yes.'],
    ['"Come in," he said.', '[quote: "Come in,"] he said.'],
    ['“Yes,” she said. «Non.»', '[quote: “Yes,”] she said. [quote: «Non.»]'],
    ['**Never** again', '[stress: Never] again'],
    ['*He whispers "run" and goes.*', '[action: He whispers [quote: "run"] and goes.]'],
    ['"You *must* go"', '[quote: "You [action: must] go"]'],
    ['*a **b** c*', '[action: a [stress: b] c]'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['a board of 6" and 8"', 'a board of 6" and 8"'],
    ['one *open', 'one *open'],
    ['**', '**'],
    ['***', '***'],
    [
      '[a](https://example.org) ![b](https://example.org/b.png) <b>c</b>',
      '[a](https://example.org) ![b](https://example.org/b.png) <b>c</b>',
    ],
    ['One.\n\nTwo.\nThree.', 'One. ¶ Two. ¶ Three.'],
    ['', ''],
  ])('%j', (text, expected) => {
    expect(parse(text)).toBe(expected)
  })

  test('styles an open mark while the text still streams, so that nothing jumps when it closes', () => {
    expect(parse('Yes. *She no', true)).toBe('Yes. [action: She no]')
    expect(parse('"Come', true)).toBe('[quote: "Come]')
    expect(parse('*Open.\n\nNext', true)).toBe('*Open. ¶ Next')
  })

  test('loses no character but marks, whatever the text', () => {
    const marked = fc.string({
      unit: fc.constantFrom('*', '**', '"', '“', '”', 'a', 'b', ' ', '.'),
      maxLength: 24,
    })
    fc.assert(
      fc.property(marked, fc.boolean(), (text, isStreaming) => {
        const words = (spans: readonly SpeechSpan[]): string =>
          spans.map((span) => (span.kind === 'text' ? span.text : words(span.spans))).join('')
        const kept = parseSpeech(text, { isStreaming }).map(words).join('')
        expect(kept.replaceAll('*', '')).toBe(text.trim() === '' ? '' : text.replaceAll('*', ''))
      }),
      { seed: 20260213, numRuns: 1000 },
    )
  })
})
