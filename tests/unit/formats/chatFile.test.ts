import { describe, expect, test } from 'vitest'

import { isChatText, readChatRows } from '../../../src/formats/chatFile.ts'
import type { ChatRow } from '../../../src/formats/chatFile.ts'

/** Who says what in the first chat of a text, the visitor's words marked. */
function said(text: string): readonly string[] {
  return spoken(readChatRows(text)?.[0]?.rows ?? [])
}

function spoken(rows: readonly ChatRow[]): readonly string[] {
  return rows
    .filter(({ record }) => 'mes' in record)
    .map(
      ({ record }) =>
        `${String(record['name'])}${record['is_user'] === true ? '*' : ''}: ${String(record['mes'])}`,
    )
}

const PAIR = ['Orla: You are wet.', 'Mira*: I am.']
const ORLA = { name: 'Orla', is_user: false, mes: 'You are wet.' }
const MIRA = { name: 'Mira', is_user: true, mes: 'I am.' }
const AT = '2025-06-13T12:01:00.000Z'
const HEADER = { user_name: 'Mira', character_name: 'Orla' }
const jsonl = (...lines: readonly unknown[]) => lines.map((line) => JSON.stringify(line)).join('\n')

const risuMessage = (data: string) => ({ role: 'char', data })
const conversation = (...texts: readonly string[]) => ({
  msgs: texts.map((text) => ({ src: { is_human: false, name: 'Orla' }, text })),
})

describe('a chat', () => {
  test.each([
    ['as SillyTavern has it', jsonl(HEADER, ORLA, MIRA)],
    ['without a header', jsonl(ORLA, MIRA)],
    ['with a broken header', `{"chat_metadata":{"integr\n${jsonl(ORLA, MIRA)}`],
    ['with a cut last line', `${jsonl(HEADER, ORLA, MIRA)}\n{"name":"Orla","is_us`],
    ['over several lines each', [HEADER, ORLA, MIRA].map((one) => JSON.stringify(one, null, 1)).join('\n')],
    ['side by side', `${JSON.stringify(HEADER, null, 1)} ${JSON.stringify(ORLA)}${JSON.stringify(MIRA)}`],
    ['as one list', JSON.stringify([HEADER, ORLA, MIRA], null, 2)],
    ['as a list within an object', JSON.stringify({ chat: [HEADER, ORLA, MIRA] })],
    [
      'of Agnai',
      JSON.stringify({
        name: 'Exported',
        greeting: '',
        messages: [
          { handle: 'Orla', msg: 'You are wet.', characterId: 'x' },
          { handle: 'Mira', msg: 'I am.', userId: 'anon' },
        ],
      }),
    ],
    [
      'of character.ai',
      JSON.stringify({
        histories: {
          histories: [
            {
              msgs: [
                { src: { is_human: false, name: 'Orla' }, text: 'You are wet.' },
                { src: { is_human: true, name: 'Mira' }, text: 'I am.' },
              ],
            },
          ],
        },
      }),
    ],
    [
      'of KoboldAI',
      JSON.stringify({
        gamestarted: true,
        prompt: '\nOrla: You are wet.',
        actions: ['\nMira: I am.'],
        savedsettings: { chatname: 'Mira', chatopponent: 'Orla' },
      }),
    ],
    [
      'of KoboldAI with instructions',
      JSON.stringify({
        gamestarted: true,
        prompt: '',
        actions: ['{{[OUTPUT]}}You are wet.', '{{[INPUT]}}I am.', '{{[OUTPUT]}}'],
        savedsettings: { chatname: 'Mira', chatopponent: 'Orla||$||Bram' },
      }),
    ],
  ])('%s', (_, text) => {
    expect(isChatText(text)).toBe(true)
    expect(said(text)).toEqual(PAIR)
  })

  test('of RisuAI and of the web UI have no names', () => {
    const message = [
      { role: 'char', data: 'You are wet.', time: 5, saying: 'x' },
      { role: 'user', data: 'I am.' },
    ]
    const nameless = ['Character: You are wet.', 'You*: I am.']
    const risu = JSON.stringify({ type: 'risuChat', ver: 1, data: { message, name: 'x' } })
    expect(said(risu)).toEqual(nameless)
    expect(readChatRows(risu)?.[0]?.rows[0]?.record).toMatchObject({
      send_date: 5,
      extra: { risu: { saying: 'x' } },
    })
    expect(said(JSON.stringify({ message, note: '' }))).toEqual(nameless)
    const internal = [
      ['<|BEGIN-VISIBLE-CHAT|>', 'You are wet.'],
      ['I am.', ''],
    ]
    expect(said(JSON.stringify({ internal, visible: internal }))).toEqual(nameless)
  })

  test('is read with the others of its file, each under its own name', () => {
    const risu = [
      { name: 'Storm', message: [risuMessage('Hm.')] },
      { message: [risuMessage('Oh.'), risuMessage('Ah.')] },
    ]
    const histories = [conversation('Hm.'), conversation(), conversation('Oh.', 'Ah.')]
    for (const [value, name, titles] of [
      [{ type: 'risuAllChats', data: risu }, 'Character', ['Storm', null]],
      [{ histories }, 'Orla', [null, null]],
    ] as const) {
      const chats = readChatRows(JSON.stringify(value)) ?? []
      expect(chats.map(({ title }) => title)).toEqual(titles)
      expect(chats.map(({ rows }) => spoken(rows))).toEqual([
        [`${name}: Hm.`],
        [`${name}: Oh.`, `${name}: Ah.`],
      ])
    }
  })

  test('of Backyard has the greeting before its messages, and of several wordings the last that was chosen', () => {
    const output = (text: string, activeTimestamp: string) => ({ createdAt: AT, activeTimestamp, text })
    const ai = {
      type: 'ai',
      mood: 'dry',
      outputs: [output('No.', '1'), output('You are {user}.', '3'), output('Hm.', '2')],
    }
    const human = { type: 'human', createdAt: AT, text: 'Am I {user}?' }
    const character = { name: 'orla', displayName: 'Orla' }
    const storm = { title: 'Storm', firstMessages: [{ text: 'Hey, {user}.' }], messages: [human, ai, {}] }
    const chats = readChatRows(
      JSON.stringify({ character, scenarios: [{ messages: [] }, storm, { messages: [ai] }] }),
    )
    expect(chats?.map(({ program, title }) => [program, title])).toEqual([
      ['Backyard', 'Storm'],
      ['Backyard', null],
    ])
    expect(chats?.map(({ rows }) => spoken(rows))).toEqual([
      ['Orla: Hey, {{user}}.', 'You*: Am I {user}?', 'Orla: You are {{user}}.'],
      ['Orla: You are {{user}}.'],
    ])
    expect(chats?.[0]?.rows[2]?.record).toEqual({
      name: 'Orla',
      is_user: false,
      mes: 'You are {{user}}.',
      send_date: AT,
      swipes: ['No.', 'You are {{user}}.', 'Hm.'],
      swipe_id: 1,
      extra: { backyard: { mood: 'dry' } },
    })
    const greeted = { ...storm, messages: [{ ...ai, outputs: [output('Hey, {user}.', '1')] }] }
    expect(said(JSON.stringify({ character, ...greeted }))).toEqual(['Orla: Hey, {{user}}.'])
  })

  test('of a story in which names come up is told by them', () => {
    const story = {
      gamestarted: true,
      prompt: 'It rains.',
      actions: ['\nOrla: You are wet.\nYou: I am.', '\nOrla: Sit.\nNear the fire.'],
    }
    expect(said(JSON.stringify(story))).toEqual([
      'Orla: You are wet.',
      'You*: I am.',
      'Orla: Sit.\nNear the fire.',
    ])
    const told = { ...story, actions: [' It rained.'] }
    expect(readChatRows(JSON.stringify(told))).toMatchObject([{ program: 'KoboldAI', rows: [] }])
  })

  test.each([
    ['lines', 'Orla: Hm.\nMira: Hm?'],
    ['a row of a data set', JSON.stringify({ messages: [{ role: 'user', content: 'Hm?' }] })],
    ['a card', JSON.stringify({ name: 'Orla', first_mes: 'Hm.' })],
    ['a list of numbers', '[1, 2]'],
    ['nothing', ''],
  ])('is not %s', (_, text) => {
    expect(isChatText(text)).toBe(false)
    expect(readChatRows(text)).toBeNull()
  })
})
