import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import type { ChatMessage } from '../../../src/formats/chatRepair.ts'
import { endOfTurnIds, loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'

function readShared(path: string): unknown {
  return JSON.parse(readFileSync(sharedPath(path), 'utf8'))
}

const HELLO: readonly ChatMessage[] = [{ role: 'user', content: 'Who are you?' }]
const REPLIED: readonly ChatMessage[] = [...HELLO, { role: 'assistant', content: 'I am ' }]
const CHATML = ['backbone/smollm2-135m-instruct', 'backbone/starter', 'tokenizers/qwen2_5'] as const

describe.skipIf(!hasShared).each(CHATML)('the template of %s', (folder) => {
  const config = hasShared ? readShared(`${folder}/tokenizer_config.json`) : { chat_template: '' }
  const template = loadChatTemplate(config)
  const user = '<|im_start|>user\nWho are you?<|im_end|>\n'

  test('has the system turn that is asked for', () => {
    expect(template.render({ messages: HELLO, system: 'You are Shrek.', addGenerationPrompt: true })).toBe(
      `<|im_start|>system\nYou are Shrek.<|im_end|>\n${user}<|im_start|>assistant\n`,
    )
  })

  test('has no system turn at all without one', () => {
    const bare = template.render({ messages: HELLO, system: null, addGenerationPrompt: true })
    expect(bare).toBe(`${user}<|im_start|>assistant\n`)
    const closed = template.render({ messages: REPLIED, system: null, addGenerationPrompt: false })
    expect(closed).toBe(`${user}<|im_start|>assistant\nI am <|im_end|>\n`)
  })

  test('leaves the last message open', () => {
    const options = { messages: REPLIED, addGenerationPrompt: true, continueLast: true }
    expect(template.render({ ...options, system: null })).toBe(`${user}<|im_start|>assistant\nI am `)
    expect(template.render({ ...options, system: 'S' })).toBe(
      `<|im_start|>system\nS<|im_end|>\n${user}<|im_start|>assistant\nI am `,
    )
    expect(() => template.render({ ...options, messages: HELLO, system: null })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    )
  })

  test('leaves a repeated or empty last message open', () => {
    const messages: readonly ChatMessage[] = [...REPLIED, ...HELLO, { role: 'assistant', content: '' }]
    expect(template.render({ messages, system: null, addGenerationPrompt: false, continueLast: true })).toBe(
      `${user}<|im_start|>assistant\nI am <|im_end|>\n${user}<|im_start|>assistant\n`,
    )
  })

  test('ends a turn with <|im_end|> first', () => {
    const tokenizer = loadTokenizer(readShared(`${folder}/tokenizer.json`), config)
    const ids = endOfTurnIds(tokenizer, config, { eos_token_id: [7, 5] })
    expect(ids).toEqual([tokenizer.tokenId('<|im_end|>'), 7, 5])
    expect(endOfTurnIds(tokenizer, undefined, undefined)).toEqual([])
  })
})

describe('other templates', () => {
  const turns = '{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{{ eos_token }}{% endfor %}'

  test('keep the begin token when the system turn is cut', () => {
    const template = loadChatTemplate(
      { bos_token: '<s>', eos_token: { content: '</s>' } },
      `{{ bos_token }}${turns}`,
    )
    expect(template.render({ messages: HELLO, system: null, addGenerationPrompt: false })).toBe(
      '<s>[user]Who are you?</s>',
    )
  })

  test('that refuse a system turn are rendered without', () => {
    const refusal = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    const template = loadChatTemplate({ chat_template: refusal + turns })
    expect(template.render({ messages: HELLO, system: null, addGenerationPrompt: false })).toBe(
      '[user]Who are you?',
    )
    expect(template.render({ messages: HELLO, system: 'S', addGenerationPrompt: false })).toBe(
      '[user]S\n\nWho are you?',
    )
  })

  test('are found by name, and a separate file goes first', () => {
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ]
    const input = { messages: HELLO, system: 'S', addGenerationPrompt: false }
    expect(loadChatTemplate({ chat_template: named }).render(input)).toBe('plain')
    expect(loadChatTemplate({ chat_template: named }, 'separate').render(input)).toBe('separate')
  })

  test('trim nothing of what is to be continued', () => {
    const template = loadChatTemplate({ chat_template: turns })
    const input = { messages: REPLIED, system: null, addGenerationPrompt: false, continueLast: true }
    expect(template.render(input)).toBe('[user]Who are you?[assistant]I am ')
  })

  test('are refused when missing or broken', () => {
    expect(() => loadChatTemplate({})).toThrow(expect.objectContaining({ code: 'format-unsupported' }))
    expect(() => loadChatTemplate(undefined)).toThrow(expect.objectContaining({ code: 'format-unsupported' }))
    expect(() => loadChatTemplate({ chat_template: '{% for %}' })).toThrow(
      expect.objectContaining({ code: 'format-invalid' }),
    )
  })
})
