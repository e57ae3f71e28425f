import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import type { ChatMessage } from '../../../src/formats/chatRepair.ts'
import { loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import { buildPrompt } from '../../../src/model/prompt.ts'

interface TemplateCase {
  readonly messages: readonly ChatMessage[]
  readonly system: string | null
  readonly reply: boolean
  readonly text: string
}

interface NamedTemplate {
  readonly name: string
  readonly template: string
  readonly tokens: Readonly<Record<string, string>>
  readonly cases: readonly TemplateCase[]
}

const read = (path: string): unknown =>
  JSON.parse(readFileSync(resolve(import.meta.dirname, '../../..', path), 'utf8'))
/** What the Python twin has to render too. */
const TEMPLATES = read('tests/fixtures/chatTemplates.json') as readonly NamedTemplate[]
const starter = 'public/models/starter'
const tokenizer = loadTokenizer(read(`${starter}/tokenizer.json`), read(`${starter}/tokenizer_config.json`))

describe.each(TEMPLATES)('a template that $name', ({ template: source, tokens, cases }) => {
  const template = loadChatTemplate(tokens, source)

  test.each(cases)('gives $text', ({ messages, system, reply, text }) => {
    expect(template.render({ messages, system, addGenerationPrompt: reply })).toBe(text)
  })

  test('takes a long chat at every cut, and one that is carried on', () => {
    const turns = Array.from({ length: 12 }, (_, index) => ({
      speaker: index % 3 === 1 ? ('user' as const) : ('role' as const),
      text: `This is line number ${index} of it.`,
    }))
    for (const continueLast of [false, true]) {
      const chat = { system: 'You are Ada.', turns: turns.slice(0, continueLast ? 12 : 11), continueLast }
      for (let room = 140; room < 700; room += 35) {
        const { text, ids, firstTurn } = buildPrompt(template, tokenizer, chat, room)
        expect(ids.length).toBeLessThanOrEqual(room)
        expect(text).toContain('You are Ada.')
        for (const turn of chat.turns.slice(firstTurn)) expect(text).toContain(turn.text)
        expect(text.endsWith('This is line number 11 of it.')).toBe(continueLast)
      }
    }
  })
})

describe('a system text among the messages', () => {
  const messages = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Aye' },
    { role: 'system', content: '[Rain.]' },
    { role: 'user', content: 'Well?' },
  ] as const
  const render = (source: string): string =>
    loadChatTemplate({}, source).render({ messages, system: 'S', addGenerationPrompt: false })
  const plain = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}'

  test('stays one where the template takes it', () => {
    expect(render(plain)).toBe('<system>S<user>Hi<assistant>Aye<system>[Rain.]<user>Well?')
  })

  test.each([
    ['refuses it', "{% if m.role == 'system' and not loop.first %}{{ raise_exception('first') }}{% endif %}"],
    ['leaves it out', "{% if m.role != 'system' or loop.first %}"],
  ])('becomes the visitor’s where the template %s', (_, guard) => {
    const end = guard.endsWith('endif %}') ? '' : '{% endif %}'
    const source = `{% for m in messages %}${guard}<{{ m.role }}>{{ m.content }}${end}{% endfor %}`
    expect(render(source)).toBe('<system>S<user>Hi<assistant>Aye<user>[Rain.]<user>Well?')
  })

  test('is joined with the visitor’s next turn where speakers take turns, and there is no system turn', () => {
    const guard =
      "{% if m.role == 'system' or (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}"
    expect(render(`{% for m in messages %}${guard}<{{ m.role }}>{{ m.content }}{% endfor %}`)).toBe(
      '<user>S\n\nHi<assistant>Aye<user>[Rain.]\n\nWell?',
    )
  })
})

describe('a template that takes nothing', () => {
  test('is no file of an unknown kind, and says its own words', () => {
    const template = loadChatTemplate({}, "{{ raise_exception('only tools') }}")
    const messages = [{ role: 'user', content: 'Hi' }] as const
    for (const system of [null, 'You are Ada.']) {
      expect(() => template.render({ messages, system, addGenerationPrompt: true })).toThrow(
        expect.objectContaining({ code: 'template-refused', message: expect.stringContaining('only tools') }),
      )
    }
  })

  test('or changes every text, is taken as it is', () => {
    const source = '{% for m in messages %}[{{ m.role }}] {{ m.content | upper }} {% endfor %}'
    const messages = [{ role: 'user', content: 'Hi' }] as const
    const text = loadChatTemplate({}, source).render({ messages, system: 'S', addGenerationPrompt: false })
    expect(text).toBe('[system] S [user] HI ')
  })
})
