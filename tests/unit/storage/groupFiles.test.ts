import { describe, expect, test } from 'vitest'

import { readGroupFile } from '../../../src/formats/groupFile.ts'
import { foldChat } from '../../../src/storage/chat.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { exportChat } from '../../../src/storage/chatExport.ts'
import { cardFileOf, chatFileOf, exportGroup, groupFromFile } from '../../../src/storage/groupFiles.ts'
import type { ChatEvent, ChatGroup } from '../../../src/storage/records.ts'
import { importChats } from '../../../src/storage/sillyTavern.ts'
import type { ImportedChat } from '../../../src/storage/sillyTavern.ts'
import { groupChats } from '../../support/groupChats.ts'
import type { GroupChatExample } from '../../support/groupChats.ts'

let made = 0
const newId = (): string => `id${made++}`
const NAMES = { user: 'Mira', character: '' }

function imported({ lines }: Pick<GroupChatExample, 'lines'>): ImportedChat {
  return importChats(lines.map((line) => JSON.stringify(line)).join('\n'), newId)[0]
}

/** What came, as it is kept. */
function kept({ metadata, header, userName, messages }: ImportedChat, group: ChatGroup | null): Chat {
  const source = { user: userName, character: '', header }
  const changes = [
    { kind: 'chat-created', key: null, title: null, parent: null, metadata, source },
    { kind: 'group-changed', group },
    ...messages.map((message) => ({ kind: 'message-added', message }) as const),
  ] as const
  return foldChat(changes.map((change): ChatEvent => ({ ...change, version: 1, chat: 'c', at: 1 })))!
}

function groupIn(example: GroupChatExample, chat: ImportedChat): ChatGroup | null {
  const file = readGroupFile(example.group)
  if (!file) return chat.group
  const told = chat.group?.scene ?? ''
  return groupFromFile(file, { text: JSON.stringify(example.group), names: chat.cardFiles, told })
}

const exported = (chat: Chat): Record<string, unknown>[] =>
  exportChat(chat, NAMES)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

test('ten are written', () => {
  expect(groupChats).toHaveLength(10)
})

describe.each(groupChats)('a group chat of $what', (example) => {
  const came = imported(example)
  const group = groupIn(example, came)
  const chat = kept(came, group)

  test('comes in with all who play, and all that was said', () => {
    expect(came.skipped).toEqual([])
    const spoken = example.lines.filter((line) => 'mes' in line)
    expect(came.messages.map(({ name }) => name)).toEqual(spoken.map(({ name }) => name))
    expect(group?.members.length).toBeGreaterThan(1)
    expect(group?.members.length).toBeLessThan(9)
  })

  test('goes out with all that came', () => {
    const lines = exported(chat)
    const hasHeader = !('mes' in example.lines[0]!)
    expect(lines.slice(hasHeader ? 0 : 1)).toMatchObject(example.lines)
    const speakers = lines.filter((line) => line['is_user'] === false && line['is_system'] === false)
    expect(speakers.every((line) => typeof line['original_avatar'] === 'string')).toBe(true)
  })

  test('comes back as it went out, without the group’s own file too', () => {
    const back = imported({ lines: exported(chat) })
    const { foreign: _, ...own } = group!
    expect(back.group).toEqual(own)
    const again = kept(back, { ...back.group!, ...(group?.foreign && { foreign: group.foreign }) })
    expect(exported(again)).toEqual(exported(chat))
  })
})

const find = (what: string) => groupChats.find((example) => example.what.includes(what))!
const groupOf = (what: string) => groupIn(find(what), imported(find(what)))

const wholeGroups = groupChats.filter((example) => example.group && example !== find('ten, of whom'))

test.each(wholeGroups)('the group’s own file comes back: $what', (example) => {
  const group = groupIn(example, imported(example))!
  const options = { name: 'Other', chat: 'other', createdAt: 5 }
  expect(JSON.parse(exportGroup(group, options))).toEqual(example.group)
  expect(chatFileOf(group)).toBe(example.group?.['chat_id'])
})

describe('who plays', () => {
  test('is called as in the chat, else as the card’s file', () => {
    expect(groupOf('called otherwise')?.members).toEqual([
      { key: null, name: 'Old Tom', isMuted: false, talkativeness: null, file: 'Old Tom2.png' },
      { key: null, name: 'Alice', isMuted: false, talkativeness: null, file: 'alice_v3.final.png' },
      { key: null, name: 'Orla', isMuted: true, talkativeness: null, file: 'Orla.png' },
    ])
    expect(groupOf('never spoke')?.members.map(({ name }) => name)).toEqual(['Alice', 'Silent Sam'])
  })

  test.each([
    ['named, with swipes', 'natural', false],
    ['in turn', 'list', false],
    ['by hand', 'manual', false],
    ['one at a time', 'pooled', true],
  ])('speaks as the file says: %s', (what, order, repliesToSelf) => {
    expect(groupOf(what)).toMatchObject({ order, repliesToSelf })
  })

  test('has the scene of the chat, which may change', () => {
    const example = find('by hand')
    const group = groupOf('by hand')!
    expect(group.scene).toBe('The lighthouse, {{user}} at the door.')
    const sceneOf = (scene: string) =>
      (exported(kept(imported(example), { ...group, scene }))[0]!['chat_metadata'] as object) ?? {}
    expect(sceneOf('A ferry.')).toMatchObject({ scenario: 'A ferry.', note_prompt: 'It rains.' })
    expect(sceneOf('')).toMatchObject({ scenario: '' })
  })

  test('is nobody of a chat with one, whose messages name no files of cards', () => {
    const lines = [
      { user_name: 'Mira', character_name: 'Orla' },
      { name: 'Orla', is_user: false, mes: 'Hm.' },
      { name: 'Bram', is_user: false, mes: 'Hm?' },
    ]
    expect(imported({ lines }).group).toBeNull()
    const chat = kept(imported({ lines }), null)
    expect(exported(chat)[1]).not.toHaveProperty('original_avatar')
    expect(exported(chat)[0]!['chat_metadata']).toEqual({})
  })

  test('is one alone where only one has spoken', () => {
    const lines = [{ name: 'Orla', is_user: false, mes: 'Hm.', original_avatar: 'Orla.png' }]
    expect(imported({ lines }).group).toBeNull()
  })
})

test('cards that are told as one and the silence between two come in, and go out as they are now', () => {
  const joined = { isWithMuted: true, prefix: '<{{char}} <FIELDNAME>>', suffix: '</end>' }
  const group = groupOf('joined cards')!
  expect(group).toMatchObject({ joined, pause: 30 })
  const out = (changes: Partial<ChatGroup>): unknown =>
    JSON.parse(exportGroup({ ...group, ...changes }, { name: 'A', chat: 'a', createdAt: 1 }))
  expect(out({ joined: null, pause: 5 })).toMatchObject({ generation_mode: 0, auto_mode_delay: 5 })
  const others = { isWithMuted: false, prefix: '[', suffix: '' }
  expect(out({ joined: others })).toMatchObject({
    generation_mode: 1,
    generation_mode_join_prefix: '[',
    generation_mode_join_suffix: '',
    auto_mode_delay: 30,
  })
  expect(groupOf('named, with swipes')).not.toHaveProperty('joined')
  expect(groupOf('named, with swipes')).not.toHaveProperty('pause')
})

test('a group that was begun here goes out as SillyTavern has it', () => {
  const members = ['Alice', 'Ahab: the "captain"'].map((name, place) => {
    return { key: name, name, isMuted: place === 1, talkativeness: 1 }
  })
  const group: ChatGroup = { members, order: 'pooled', repliesToSelf: true, scene: 'At sea.' }
  const written: unknown = JSON.parse(exportGroup(group, { name: 'Both', chat: 'one', createdAt: 17 }))
  expect(written).toMatchObject({
    id: '17',
    name: 'Both',
    members: ['Alice.png', 'Ahab the captain.png'],
    disabled_members: ['Ahab the captain.png'],
    activation_strategy: 3,
    allow_self_responses: true,
    chat_id: 'one',
    chats: ['one'],
  })
  expect(readGroupFile(written)).toMatchObject({ order: 'pooled', repliesToSelf: true, chats: ['one'] })
  expect(cardFileOf({ name: '???' })).toBe('Nameless.png')
})

describe('a group’s file', () => {
  test.each([
    ['a list', []],
    ['nobody', { members: [], chat_id: 'x' }],
    ['numbers', { members: [1, 2], chat_id: 'x' }],
    ['members of something else', { members: ['a.png', 'b.png'] }],
  ])('is none of %s', (_, value) => {
    expect(readGroupFile(value)).toBeNull()
  })

  test('is read leniently', () => {
    const value = {
      members: ['A.png', 'A.png', ' ', 'B.png'],
      chats: 'none',
      activation_strategy: 9,
      disabled_members: ['C.png', 'B.png'],
      allow_self_responses: 'yes',
      name: 7,
      chat_metadata: { scenario: 3 },
    }
    expect(readGroupFile(value)).toEqual({
      name: '',
      members: ['A.png', 'B.png'],
      muted: ['B.png'],
      order: 'natural',
      repliesToSelf: false,
      scene: '',
      cards: 'own',
      prefix: '',
      suffix: '',
      pause: 5,
      chats: [],
    })
    expect(readGroupFile({ ...value, generation_mode: 7, auto_mode_delay: 0.5 })).toMatchObject({
      cards: 'own',
      pause: 5,
    })
    const alone = readGroupFile({ ...value, members: ['A.png'] })!
    expect(groupFromFile(alone, { text: '{}', names: new Map(), told: '' })).toBeNull()
  })
})
