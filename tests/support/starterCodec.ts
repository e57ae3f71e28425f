import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { endOfTurnIds, loadChatTemplate } from '../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../src/formats/tokenizer.ts'
import type { TextCodec } from '../../src/model/chatModel.ts'

const root = resolve(import.meta.dirname, '../../public/models/starter')

function json(name: string): unknown {
  return JSON.parse(readFileSync(resolve(root, name), 'utf8'))
}

/** The tokenizer and the chat template of the starter, without its weights. */
export function starterCodec(): TextCodec {
  const config = json('tokenizer_config.json')
  const tokenizer = loadTokenizer(json('tokenizer.json'), config)
  const template = loadChatTemplate(config)
  const stopIds = endOfTurnIds(tokenizer, config, json('generation_config.json'), template)
  return { tokenizer, template, stopIds }
}
