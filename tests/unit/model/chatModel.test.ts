import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import { openText } from '../../../src/model/chatModel.ts'
import { memoryFolder } from '../../support/tinyBackbone.ts'

const tokenizer = readFileSync(resolve(import.meta.dirname, '../../../public/models/starter/tokenizer.json'))
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const template = (mark: string): string =>
  `{% for m in messages %}${mark}{{ m.content }}<|im_end|>{% endfor %}`
const inJson = (mark: string | null): Uint8Array =>
  bytesOf(JSON.stringify({ chat_template: mark === null ? null : template(mark) }))

async function promptWith(files: Readonly<Record<string, Uint8Array>>): Promise<string | undefined> {
  const text = await openText(memoryFolder({ 'tokenizer.json': tokenizer, ...files }))
  const messages = [{ role: 'user', content: 'Hi' }] as const
  return text.template?.render({ messages, system: null, addGenerationPrompt: false })
}

describe('the chat template of a folder', () => {
  test('is that of the newest kind of file', async () => {
    const [config, json] = [
      { 'tokenizer_config.json': inJson('config ') },
      { 'chat_template.json': inJson('json ') },
    ]
    const jinja = { 'chat_template.jinja': bytesOf(template('jinja ')) }
    expect(await promptWith({ ...config, ...json, ...jinja })).toBe('jinja Hi<|im_end|>')
    expect(await promptWith({ ...config, ...json })).toBe('config Hi<|im_end|>')
    expect(await promptWith(json)).toBe('json Hi<|im_end|>')
  })

  test('is none where no file has one', async () => {
    expect(await promptWith({})).toBeUndefined()
    expect(await promptWith({ 'tokenizer_config.json': inJson(null) })).toBeUndefined()
  })
})
