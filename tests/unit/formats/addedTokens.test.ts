import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { endOfTurnIds, loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'

interface Golden {
  readonly letters: { readonly vocab: readonly string[]; readonly merges: readonly string[] }
  readonly cases: readonly {
    readonly name: string
    readonly model: 'bytes' | 'letters'
    readonly normalizer: unknown
    readonly preTokenizer: unknown
    readonly added: readonly unknown[]
    readonly entries: readonly { readonly text: string; readonly ids: readonly number[] }[]
  }[]
}

/** Ids of Hugging Face's tokenizers 0.23 for small tokenizers of our own. */
const golden = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../fixtures/addedTokens.json'), 'utf8'),
) as Golden

/** The characters of the byte-level alphabet by byte. */
function alphabet(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad)
    return String.fromCharCode(isPrintable ? byte : next++)
  })
}

function modelOf(kind: 'bytes' | 'letters'): Record<string, unknown> {
  const [vocab, merges] = kind === 'bytes' ? [alphabet(), []] : [golden.letters.vocab, golden.letters.merges]
  const ids = Object.fromEntries(vocab.map((token, id) => [token, id]))
  const unknown = kind === 'letters' ? { unk_token: '<unk>', fuse_unk: true } : {}
  return { type: 'BPE', vocab: ids, merges, ...unknown }
}

describe.each(golden.cases)('added tokens: $name', ({ model, normalizer, preTokenizer, added, entries }) => {
  const json = { model: modelOf(model), normalizer, pre_tokenizer: preTokenizer, added_tokens: added }
  const tokenizer = loadTokenizer({ ...json, decoder: { type: 'ByteLevel' } }, undefined)

  test('are those of Hugging Face’s library', () => {
    const given = entries.map(({ text }) => ({ text, ids: tokenizer.encode(text) }))
    expect(given).toEqual(entries)
  })
})

describe('line breaks and tabs that a file calls special', () => {
  const added = [
    { id: 300, content: '<|end|>', special: true },
    { id: 301, content: '\n', special: true },
    { id: 302, content: '\t', special: true },
  ]
  const json = {
    model: modelOf('bytes'),
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    added_tokens: added,
  }
  const tokenizer = loadTokenizer({ ...json, decoder: { type: 'ByteLevel' } }, undefined)

  test('are the same tokens in a message as elsewhere, control tokens beside them letters', () => {
    const text = 'a\n<|end|>\tb'
    const ids = tokenizer.encode(tokenizer.quote(text))
    expect(ids).toEqual([97, 301, ...Array.from('<|end|>', (letter) => letter.charCodeAt(0)), 302, 98])
    expect(tokenizer.encode(text)).toEqual([97, 301, 300, 302, 98])
    expect(tokenizer.unquote(tokenizer.quote(text))).toBe(text)
  })

  test('end no turn', () => {
    const source = "{% for m in messages %}{{ m.content + '\\n' }}<|end|>{{ '\\n' }}{% endfor %}"
    expect(endOfTurnIds(tokenizer, {}, undefined, loadChatTemplate({}, source))).toEqual([300])
  })
})
