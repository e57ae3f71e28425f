import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'

import { greetingsOf, lineOf, unknownIn } from '../../../src/cast/cardTexts.ts'
import { Random } from '../../../src/core/random.ts'
import { fileKind } from '../../../src/exchange/fileKind.ts'
import { readCard } from '../../../src/formats/card.ts'
import { readCardFile, writeCardJson } from '../../../src/formats/cardFile.ts'
import { foldChat } from '../../../src/storage/chat.ts'
import type { ChatEvent } from '../../../src/storage/records.ts'
import { exportChat } from '../../../src/storage/chatExport.ts'
import { importChats } from '../../../src/storage/sillyTavern.ts'
import { fuzz, isFullFuzz, mutateBytes, mutateJson, rounds } from '../../support/fuzz.ts'

const FILES = 50_000
const SHARE = 0.02
const TIMEOUT = { timeout: isFullFuzz ? 7_200_000 : 120_000 }

const EXAMPLES = '{{user}}: Is it {{random:lit,out}}?\n{{char}}: {{// never}}Always.'
const CHARACTERS = [
  { char_name: 'Orla', char_persona: 'Orla is a keeper.', char_greeting: 'Hm.', example_dialogue: EXAMPLES },
  {
    kind: 'character',
    name: 'Orla',
    greeting: 'Hm.',
    persona: { kind: 'wpp', attributes: { species: ['human'], mind: ['dry'] } },
    alternateGreetings: ['Ah.'],
    characterBook: { entries: [{ keywords: ['lamp'], entry: 'Old.' }] },
  },
  {
    character: { aiDisplayName: 'Orla', aiPersona: '{character} is a keeper.', firstMessage: 'Hm, {user}.' },
  },
  { info: { character: { name: 'Orla', greeting: 'Hm.', definition: EXAMPLES } } },
  { name: 'Orla', greeting: 'Hm.', context: `[Orla: keeper; age: 54]\n${EXAMPLES}` },
  { spec: 'chara_card_v2', data: { name: 'Orla', tags: 'a, b', alternate_greetings: ['Hi', null] } },
]
const CHATS = [
  {
    messages: [
      { handle: 'Orla', msg: 'Hm.', characterId: 'x' },
      { handle: 'Mira', msg: 'Ah.', userId: 'y' },
    ],
  },
  { histories: { histories: [{ msgs: [{ src: { is_human: false, name: 'Orla' }, text: 'Hm.' }] }] } },
  {
    gamestarted: true,
    prompt: '\nMira: Ah.',
    actions: ['\nOrla: Hm.'],
    savedsettings: { chatname: 'Mira', chatopponent: 'Orla' },
  },
  {
    type: 'risuChat',
    data: {
      message: [
        { role: 'char', data: 'Hm.' },
        { role: 'user', data: 'Ah.' },
      ],
    },
  },
  { internal: [['Ah.', 'Hm.']], visible: [['Ah.', 'Hm.']] },
  [{ user_name: 'Mira' }, { name: 'Orla', is_user: false, mes: 'Hm.', swipes: ['Hm.'], extra: { a: 1 } }],
]

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** Reads a file as page and command line do: what it is, and all of it; what was read can be written. */
function readAny(file: Uint8Array | string): void {
  const bytes = typeof file === 'string' ? Buffer.from(file) : file
  const kind = fileKind(bytes, 'file')
  if (kind === 'chat') return rewriteChat(new TextDecoder().decode(bytes))
  const { card, original } = readCardFile(bytes, 'file')
  const character = readCard(card)
  lineOf(character, { user: 'Mira' })
  unknownIn(character)
  const again = readCardFile(writeCardJson(card, original), 'again')
  expect(greetingsOf(readCard(again.card))).toEqual(greetingsOf(character))
}

function rewriteChat(text: string): void {
  const {
    messages,
    metadata,
    characterName: character,
    userName: user,
    header,
  } = importChats(text, () => 'id')[0]
  const common = { version: 1, chat: 'c', at: 0 } as const
  const source = { user, character, header }
  const events: ChatEvent[] = [
    { ...common, kind: 'chat-created', key: null, title: null, parent: null, metadata, source },
    ...messages.map((message, index): ChatEvent => ({
      ...common,
      kind: 'message-added',
      message: { ...message, id: `${index}` },
    })),
  ]
  const written = exportChat(foldChat(events)!, { user, character })
  expect(importChats(written, () => 'id')[0].messages.map(({ name }) => name)).toEqual(
    messages.map(({ name }) => name),
  )
}

describe('files of other programs, damaged', () => {
  test.each([
    ['characters', CHARACTERS],
    ['chats', CHATS],
  ])('%s', TIMEOUT, async (_, seeds) => {
    const random = new Random(11)
    const make = (round: number): string => {
      let text = JSON.stringify(seeds[round % seeds.length])
      for (let step = random.nextBelow(3); step >= 0; step--) text = mutateJson(text, random)
      return text
    }
    const { accepted, refused } = await fuzz(rounds(FILES, SHARE), make, readAny)
    expect(Math.min(accepted, refused)).toBeGreaterThan((accepted + refused) / 200)
  })

  test('archives of Backyard', TIMEOUT, async () => {
    const random = new Random(12)
    const character = { displayName: 'Orla', persona: 'A keeper.', loreItems: [{ key: 'a', value: 'b' }] }
    const scenario = { narrative: 'A storm.', firstMessages: [{ text: 'Hm.' }], messages: [] }
    const make = (): Uint8Array => {
      const mutated = (value: unknown): Uint8Array =>
        random.nextBelow(2) ? Buffer.from(mutateJson(JSON.stringify(value), random)) : json(value)
      const zipped = zipSync({
        'manifest.json': mutated({
          characters: ['characters/a/character.json'],
          scenarios: ['scenarios/s.json'],
        }),
        'characters/a/character.json': mutated(character),
        'scenarios/s.json': mutated(scenario),
      })
      return random.nextBelow(3) ? zipped : mutateBytes(zipped, random)
    }
    const { accepted, refused } = await fuzz(rounds(FILES, SHARE), make, readAny)
    expect(Math.min(accepted, refused)).toBeGreaterThan((accepted + refused) / 200)
  })
})
