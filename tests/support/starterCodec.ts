import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { loadChatTemplate } from '../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../src/formats/tokenizer.ts'
import type { TextCodec } from '../../src/model/chatModel.ts'

const root = resolve(import.meta.dirname, '../../public/models/starter')

function json(name: string): unknown {
  return JSON.parse(readFileSync(resolve(root, name), 'utf8'))
}

/** The tokenizer and the chat template of the starter, without its weights. */
export function starterCodec(): TextCodec {
  const tokenizer = loadTokenizer(json('tokenizer.json'), json('tokenizer_config.json'))
  return { tokenizer, template: loadChatTemplate(json('tokenizer_config.json')) }
}
