import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { applyEvent, foldChat, selectedTake, summarize } from '../../../src/storage/chat.ts'
import { readChatEvents, writeChatEvents } from '../../../src/storage/chatEvents.ts'
import type { ChatEvent, Generation, NewMessage } from '../../../src/storage/records.ts'
import { exportChat } from '../../../src/storage/chatExport.ts'
import { importChats, readDate } from '../../../src/storage/sillyTavern.ts'

const counter = (): (() => string) => {
  let next = 0
  return () => `id${next++}`
}

const generation: Generation = {
  backbone: 'starter',
  key: 'Holmes',
  strength: 1.2,
  seed: 7,
  promptTokens: 40,
  tokens: 12,
  tokensPerSecond: 30.5,
  context: 1024,
  stop: 'end',
}

const chatWith = (messages: readonly NewMessage[], metadata: string | null = null) => {
  const common = { version: 1, chat: 'chat', at: 1_700_000_000_000 } as const
  const events: ChatEvent[] = [
    { ...common, kind: 'chat-created', key: 'Holmes', title: null, parent: null, metadata },
    ...messages.map((message) => ({ ...common, kind: 'message-added' as const, message })),
  ]
  return foldChat(events)!
}

const names = { user: 'Watson', character: 'Sherlock Holmes' }
const text = fc.string({ minLength: 1, maxLength: 30 })
const draft = fc
  .tuple(
    fc.boolean(),
    fc.array(fc.record({ text, at: fc.integer({ min: 0, max: 2_000_000_000_000 }), own: fc.boolean() }), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.nat(3),
    fc.boolean(),
  )
  .map(([user, takes, selected, excluded]) => ({ user, takes, selected: selected % takes.length, excluded }))

/** As every build has written it. */
const { key: _, ...facts } = generation
const stored = { ...facts, role: 'Holmes' }
const factsWith = (seed: number) => ({ extra: { hycora: { generation: { ...stored, seed } } } })

describe('SillyTavern JSONL', () => {
  test('gives back every message with its versions, selection, times and facts', () => {
    fc.assert(
      fc.property(fc.array(draft, { minLength: 1, maxLength: 8 }), (drafts) => {
        const messages = drafts.map(({ user, takes, selected, excluded }, index): NewMessage => ({
          id: `m${index}`,
          speaker: user ? 'user' : 'role',
          name: user ? names.user : names.character,
          key: user ? null : 'Holmes',
          excluded,
          takes: takes.map((take, at) => ({
            id: `m${index}t${at}`,
            text: take.text,
            at: take.at,
            generation: take.own && !user ? generation : null,
          })),
          selected,
        }))
        const exported = exportChat(chatWith(messages), names)
        const back = importChats(exported, counter())[0]
        expect(back.skipped).toEqual([])
        expect(back).toMatchObject({
          characterName: names.character,
          userName: names.user,
          createdAt: 1_700_000_000_000,
        })
        expect(back.messages.map(stripIds)).toEqual(messages.map(stripIds))
      }),
      { seed: 20260212, numRuns: 300 },
    )
  })

  test('writes lines that hold the invariants of swipes', () => {
    const takes = ['One.', 'Two.', 'Three.'].map((line, at) => ({ id: `t${at}`, text: line, at, generation }))
    const lines = exportChat(
      chatWith([
        { id: 'm', speaker: 'role', name: 'Holmes', key: 'Holmes', excluded: false, takes, selected: 1 },
      ]),
      names,
    )
    const message = JSON.parse(lines.split('\n')[1]!)
    expect(message.swipes[message.swipe_id]).toBe(message.mes)
    expect(message.swipe_info).toHaveLength(message.swipes.length)
    expect(message.extra.hycora).toEqual({ role: 'Holmes', generation: stored })
    expect(message).toMatchObject({
      mes: 'Two.',
      is_user: false,
      is_system: false,
      extra: { token_count: 12 },
    })
  })

  test('hands foreign metadata back', () => {
    const file = [
      '{"chat_metadata":{"integrity":"x","note_prompt":"Rain."},"user_name":"unused","character_name":"unused"}',
      '{"name":"Ann","is_user":true,"mes":"Hello"}',
      '{"name":"Bob","is_user":false,"mes":"Good day"}',
    ].join('\n')
    const chat = importChats(file, counter())[0]
    expect(chat).toMatchObject({ characterName: 'Bob', userName: 'Ann' })
    expect(exportChat(chatWith(chat.messages, chat.metadata), names)).toContain('"note_prompt":"Rain."')
  })

  test('hands back what means nothing here, of the chat, of a message and of every take', () => {
    const header = {
      user_name: 'Mira',
      character_name: 'unused',
      create_date: '2025-02-01@10h00m00s',
      x_own: [1],
    }
    const metadata = { note_prompt: 'Rain.' }
    const info = [
      { send_date: 'February 1, 2025 9:59am', gen_started: 'x', extra: { reasoning: 'First.' } },
      { send_date: 'February 1, 2025 10:00am', extra: { reasoning: 'Second.' } },
    ]
    const orla = {
      name: 'Orla',
      is_user: false,
      is_system: false,
      send_date: 'February 1, 2025 10:00am',
      mes: 'It is out.',
      extra: { reasoning: 'Second.', model: 'm', token_count: 4 },
      swipe_id: 1,
      swipes: ['It is dark.', 'It is out.'],
      swipe_info: info,
      force_avatar: '/thumbnail?x',
      gen_finished: 'y',
    }
    const mira = {
      name: 'Mira',
      is_user: true,
      is_system: false,
      send_date: 'February 1, 2025 10:02am',
      mes: 'Light it.',
      extra: { image: 'x.png', bookmark_link: '#1' },
    }
    const file = [{ ...header, chat_metadata: metadata }, orla, mira]
      .map((line) => JSON.stringify(line))
      .join('\n')
    const { messages, metadata: kept, ...chat } = importChats(file, counter())[0]
    const source = { user: chat.userName, character: chat.characterName, header: chat.header }
    const created = {
      version: 1,
      chat: 'c',
      at: chat.createdAt,
      kind: 'chat-created',
      key: null,
      title: null,
      parent: null,
    } as const
    const events: ChatEvent[] = [
      { ...created, metadata: kept, source },
      ...messages.map((message): ChatEvent => ({
        version: 1,
        chat: 'c',
        at: chat.createdAt,
        kind: 'message-added',
        message,
      })),
    ]
    // Through the form in which chats lie in backups.
    const folded = foldChat(readChatEvents(writeChatEvents(events), 'chat'))!
    expect(summarize(folded)).toMatchObject({ character: 'Orla' })
    expect(summarize({ ...folded, key: 'Holmes' })).not.toHaveProperty('character')
    const lines = exportChat(folded, names)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toEqual([{ ...header, chat_metadata: metadata }, orla, mira])
    const { id } = folded.messages[0]!
    const other = applyEvent(folded, {
      version: 1,
      chat: 'c',
      at: 1,
      kind: 'take-selected',
      message: id,
      take: folded.messages[0]!.takes[0]!.id,
    })!
    const again = JSON.parse(exportChat(other, names).split('\n')[1]!)
    expect(again).toMatchObject({
      mes: 'It is dark.',
      ...info[0],
      force_avatar: '/thumbnail?x',
      swipe_info: info,
    })
    expect(again).not.toHaveProperty('gen_finished')
  })

  test('keeps our own facts out of what is handed back, and hands on nothing that nests without end', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const file = `{"name":"Bob","mes":"Hm","deep":${deep},"extra":{"token_count":3,"hycora":{"role":"Holmes","generation":${JSON.stringify(stored)}}}}`
    const [message] = importChats(file, counter())[0].messages
    expect(message).toMatchObject({ key: 'Holmes', takes: [{ generation }] })
    expect(message?.takes[0]).not.toHaveProperty('foreign')
    expect(exportChat(chatWith([message!]), names)).toContain('"mes":"Hm"')
  })

  test('reads what other programs write, and tells which lines it skipped', () => {
    const file = [
      '\uFEFF{"user_name":"Ann","character_name":"Bob","create_date":"2024-9-28 @12h 00m 00s"}',
      '{"name":"Bob","is_user":false,"mes":{"message":"Hm."},"swipes":[{"message":"Hm."},{"message":"Well."}],"swipe_id":0}',
      'not json',
      '',
      '[1,2]',
      '{"name":"Ann","is_user":true,"send_date":"February 8, 2026 3:57pm"}',
      '{"name":"Note","is_user":false,"is_system":true,"mes":"Out of the scene","send_date":1700000000000}\r',
      '{"name":"Bob","mes":"On the screen","swipes":["Another","And another"],"swipe_id":9}',
      '{"mes":"cut off in the mid',
    ].join('\n')
    const chat = importChats(file, counter())[0]
    expect(chat.skipped.map(({ line }) => line)).toEqual([3, 5, 6, 9])
    expect(chat.messages.map((one) => selectedTake(one).text)).toEqual([
      'Hm.',
      'Out of the scene',
      'On the screen',
    ])
    expect(chat.messages.map((one) => one.takes.length)).toEqual([2, 1, 3])
    expect(chat.messages[1]).toMatchObject({ excluded: true })
    expect(chat.createdAt).toBe(new Date(2024, 8, 28, 12).getTime())
  })

  test('keeps each wording with its own facts where another is no text', () => {
    const line = {
      name: 'Bob',
      mes: 'Two',
      swipes: ['One', 7, 'Two'],
      swipe_info: [factsWith(1), {}, factsWith(3)],
    }
    const { takes } = importChats(JSON.stringify(line), counter())[0].messages[0]!
    expect(takes.map((take) => [take.text, take.generation?.seed])).toEqual([
      ['One', 1],
      ['Two', 3],
    ])
  })

  test('refuses a file without a single message', () => {
    for (const file of ['', '{"user_name":"Ann","character_name":"Bob"}', 'name,text\nAnn,Hello']) {
      expect(() => importChats(file, counter())).toThrow(HycoraError)
    }
  })
})

test.each([
  ['2026-02-08T15:57:00.000Z', Date.UTC(2026, 1, 8, 15, 57)],
  [1_700_000_000_000, 1_700_000_000_000],
  ['1700000000000', 1_700_000_000_000],
  ['February 8, 2026 3:57pm', new Date(2026, 1, 8, 15, 57).getTime()],
  ['2024-9-28 @12h 00m 00s', new Date(2024, 8, 28, 12).getTime()],
  ['2024-9-28 @12h 01m 02s 345ms', new Date(2024, 8, 28, 12, 1, 2, 345).getTime()],
  ['yesterday', undefined],
  [null, undefined],
  // Beyond what a Date can hold: it could never be written out again.
  [1e20, undefined],
  ['9'.repeat(400), undefined],
])('the date %j', (written, expected) => {
  expect(readDate(written)).toBe(expected)
})

function stripIds({ takes, ...rest }: NewMessage): unknown {
  return { ...rest, id: '', takes: takes.map((take) => ({ ...take, id: '' })) }
}
