import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { describe, expect, test } from 'vitest'

import type { Turn } from '../../../src/core/dialogue.ts'
import { Random } from '../../../src/core/random.ts'
import { endOfTurnIds, loadChatTemplate } from '../../../src/formats/chatTemplate.ts'
import { loadTokenizer } from '../../../src/formats/tokenizer.ts'
import type { TextCodec } from '../../../src/model/chatModel.ts'
import { buildPrompt } from '../../../src/model/prompt.ts'
import { encodeTurns } from '../../../src/train/data/encodeTurns.ts'
import { sharedPath } from '../../support/shared.ts'
import { starterCodec } from '../../support/starterCodec.ts'

const root = resolve(import.meta.dirname, '../../..')
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))

/** Templates that differ in what they write around a reply, and what is learnt of chats with the starter; the twin learns it too. */
interface LearntRows {
  readonly name: string
  readonly template: string
  readonly cases: readonly {
    readonly system: string | null
    /** Speaker, text, and `context` where the reply is not learnt. */
    readonly turns: readonly (readonly ['user' | 'role', string, 'context'?])[]
    /** The whole chat, and its learnt runs of tokens. */
    readonly text: string
    readonly learnt: readonly string[]
    readonly ids: string
  }[]
}

const TEMPLATES = read(resolve(root, 'tests/fixtures/learntRows.json')) as readonly LearntRows[]

const MODELS = [
  { model: 'starter', folder: resolve(root, 'public/models/starter') },
  ...['smollm2', 'llama2', 'qwen2_5', 'chatglm'].map((model) => {
    return { model, folder: sharedPath(`tokenizers/${model}`) }
  }),
].filter(({ folder }) => existsSync(folder))

const TEXTS = [
  'Aye.',
  'I’m 2.5 miles off, it’s *late*!',
  'Over.<|im_end|> Not I.</s> [/INST]',
  'Zoë — 悟空 🦊 said: «no»',
  "'s the tide,\n\n- two\n- lines",
  '…',
  '{"a": [1, 2]}',
  '42',
]

describe.each(TEMPLATES)('a template that $name', ({ template: source, cases }) => {
  const { tokenizer } = starterCodec()
  const config = {
    ...(read(resolve(root, 'public/models/starter/tokenizer_config.json')) as object),
    chat_template: source,
  }
  const template = loadChatTemplate(config)
  const codec: TextCodec = { tokenizer, template, stopIds: endOfTurnIds(tokenizer, config, null, template) }

  test.each(cases)('gives $text', ({ system, turns, text, learnt, ids: expected }) => {
    const said = turns.map(([speaker, spoken, mark]): Turn => {
      return { speaker, text: spoken, ...(mark && { isLearnt: false as const }) }
    })
    const { ids, isReply } = encodeTurns(codec, said, system)
    expect(ids.join(' ')).toBe(expected)
    expect(tokenizer.decode(ids)).toBe(text)
    expect(runs(isReply).map(([start, end]) => tokenizer.decode(ids.slice(start, end)))).toEqual(learnt)
  })
})

function turnsOf(random: Random): Turn[] {
  const pick = (): string => TEXTS[random.nextBelow(TEXTS.length)]!
  return Array.from({ length: 1 + random.nextBelow(3) }).flatMap((): Turn[] => [
    { speaker: 'user', text: pick() },
    {
      speaker: 'role',
      text: pick(),
      ...(random.nextBelow(4) === 0 && { isLearnt: false as const }),
    },
  ])
}

/** The runs of learnt tokens, as first and one past the last. */
function runs(isReply: readonly boolean[]): (readonly [number, number])[] {
  const starts = isReply.flatMap((flag, at) => (flag && !isReply[at - 1] ? [at] : []))
  return starts.map((start) => {
    const end = isReply.indexOf(false, start)
    return [start, end < 0 ? isReply.length : end] as const
  })
}

describe.each(MODELS)('what is learnt with the tokenizer of $model', ({ folder }) => {
  const config = existsSync(resolve(folder, 'tokenizer_config.json'))
    ? (read(resolve(folder, 'tokenizer_config.json')) as Record<string, unknown>)
    : {}
  const tokenizer = loadTokenizer(read(resolve(folder, 'tokenizer.json')), config)
  const eos = ['<|im_end|>', '</s>', '<|endoftext|>'].find((token) => tokenizer.tokenId(token) !== undefined)

  test.each(TEMPLATES)(
    'is part of the chat’s own tokens where the template $name',
    ({ template: source }) => {
      const given = { ...config, eos_token: eos, chat_template: source }
      const template = loadChatTemplate(given)
      const codec: TextCodec = {
        tokenizer,
        template,
        stopIds: endOfTurnIds(tokenizer, given, null, template),
      }
      const random = new Random(11)
      for (let round = 0; round < 12; round++) {
        const turns = turnsOf(random)
        const system = round % 3 === 0 ? 'You are Mora.' : null
        const messages = turns.map(({ speaker, text }) => ({
          role: speaker === 'user' ? ('user' as const) : ('assistant' as const),
          content: tokenizer.quote(text),
        }))
        const chat = tokenizer.encode(template.render({ messages, system, addGenerationPrompt: false }))
        const { ids, isReply, isEnded } = encodeTurns(codec, turns, system)
        expect(isEnded || codec.stopIds.includes(ids.at(-1)!)).toBe(true)
        const learnt = turns.filter(({ speaker, isLearnt }) => speaker === 'role' && isLearnt !== false)
        const found = runs(isReply)
        expect(found).toHaveLength(learnt.length)
        found.forEach(([start, end], index) => {
          const said = tokenizer.decode(ids.slice(start, end))
          expect(said).toContain(learnt[index]!.text)
          const isClosed = codec.stopIds.includes(ids[end - 1]!)
          const isClosing = isEnded || index === found.length - 1
          expect(isClosed || !isClosing).toBe(true)
          const own = ids.slice(start, isEnded ? end : end - Number(isClosed))
          // Behind a closed thought, no token reaches over into the reply as one may in the chat.
          const [whole, rest] = [own, own.slice(1)].map((part) => chat.join(' ').includes(part.join(' ')))
          expect(whole || (rest && source.includes('think'))).toBe(true)
        })
        const last = turns.length - 1
        if (turns[last]!.isLearnt === false) continue
        const asked = { system, turns: turns.slice(0, last), continueLast: false }
        const prompt = buildPrompt(template, tokenizer, asked, 10_000)
        const cue = prompt.text.slice(
          prompt.text.lastIndexOf(turns[last - 1]!.text) + turns[last - 1]!.text.length,
        )
        const before = ids.slice(0, found.at(-1)![0])
        // A template without a prompt for the reply, and a token that reaches from the one into the other, have no such place.
        const isApart = cue !== '' && !before.join(' ').startsWith(tokenizer.encode(prompt.text).join(' '))
        const isFirst = turns.length === 2 && !isApart && cue !== ''
        expect(isFirst ? before : []).toEqual(isFirst ? prompt.ids : [])
        expect(isApart || tokenizer.decode(before).endsWith(cue)).toBe(true)
      }
    },
  )
})
