import { describe, expect, test } from 'vitest'

import {
  characterIn,
  chatNames,
  heardBy,
  lastSpeaker,
  stageChat,
  stopsFor,
  wordsOf,
} from '../../../app/stores/chat/scene.ts'
import { remark } from '../../../src/core/remarks.ts'
import { stageVisitor } from '../../../app/stores/chat/visitorScene.ts'
import { withoutName } from '../../../src/cast/hearing.ts'
import { cardMember, joinCast, readCast } from '../../../src/cast/member.ts'
import { foldChat, selectedTake } from '../../../src/storage/chat.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import type { ChatChange, ChatGroup, NewMessage } from '../../../src/storage/records.ts'

const [alice] = joinCast(
  readCast({ Alice: { displayName: 'Alice', card: { description: 'A girl.', scenario: 'At tea.' } } }),
  [{ name: 'Alice', system: 'You are Alice.', card: null, blend: null, vector: new Float32Array(1) }],
)
const orla = cardMember({
  id: 'a'.repeat(24),
  name: 'Orla',
  card: { name: 'Orla', description: '{{char}} keeps a cat.', scenario: 'A lighthouse.' },
  portrait: null,
  fileName: 'orla.json',
})
const MEMBERS = [alice!, orla]
const ANNA = { name: 'Anna', description: '' }
const GROUP: ChatGroup = {
  members: [
    { key: 'Alice', name: 'Alice', isMuted: false, talkativeness: null },
    { key: orla.key, name: 'Orla', isMuted: false, talkativeness: null },
    { key: null, name: 'Bram', isMuted: false, talkativeness: null },
  ],
  order: 'list',
  repliesToSelf: false,
  scene: '',
}
const LINES = [
  ['Alice', '{{char}} waves at {{user}}.'],
  ['Orla', 'Mind the stairs.'],
  ['Anna', 'Who has matches?'],
  ['Bram', 'Not me.'],
  ['Alice', 'Nor I.'],
] as const

const keyOf = (name: string) => MEMBERS.find(({ displayName }) => displayName === name)?.key ?? null

/** The lines in a chat of several, or in a chat with one of them in which the others spoke too. */
function chatOf(group: ChatGroup | null, key: string | null = null): Chat {
  const common = { version: 1, chat: 'c', at: 1 } as const
  const messages = LINES.map(([name, text], index): ChatChange => {
    const message: NewMessage = {
      id: `m${index}`,
      speaker: name === 'Anna' ? 'user' : 'role',
      name,
      key: keyOf(name),
      excluded: false,
      takes: [{ id: `t${index}`, text, at: 1, generation: null }],
      selected: 0,
    }
    return { kind: 'message-added', message }
  })
  const source = { user: '', character: '', header: '{}' }
  const created = { kind: 'chat-created', key, title: null, parent: null, metadata: null, source } as const
  const grouped: ChatChange = { kind: 'group-changed', group }
  return foldChat([created, grouped, ...messages].map((change) => ({ ...change, ...common })))!
}

const staged = (chat: Chat, key: string, isWhole = false) => {
  const member = MEMBERS.find((one) => one.key === key)
  return stageChat(heardBy(chat, key), { member, visitor: ANNA, cast: MEMBERS, isWhole })
}

describe('one of several', () => {
  test('hears the others under their names, and what they said themselves as their own', () => {
    const chat = chatOf(GROUP)
    expect(staged(chat, 'Alice').scene).toMatchObject({
      role: 'Alice',
      turns: [
        { speaker: 'role', text: 'Alice waves at Anna.' },
        { speaker: 'user', text: 'Orla: Mind the stairs.' },
        { speaker: 'user', text: 'Who has matches?' },
        { speaker: 'user', text: 'Bram: Not me.' },
        { speaker: 'role', text: 'Nor I.' },
      ],
    })
    expect(staged(chat, orla.key).scene).toMatchObject({
      role: null,
      system: 'You are Orla. Orla keeps a cat. Speak only as Orla.',
      turns: [
        { speaker: 'user', text: 'Alice: Alice waves at Anna.' },
        { speaker: 'role', text: 'Mind the stairs.' },
        { speaker: 'user', text: 'Who has matches?' },
        { speaker: 'user', text: 'Bram: Not me.' },
        { speaker: 'user', text: 'Alice: Nor I.' },
      ],
    })
  })

  test.each([['Alice'], [orla.key]])('reads what %s would read alone, with the same messages', (key) => {
    const member = MEMBERS.find((one) => one.key === key)
    for (const isWhole of [false, true]) {
      const alone = stageChat(chatOf(null, key), { member, visitor: ANNA, isWhole })
      expect(staged(chatOf(GROUP), key, isWhole).scene).toEqual(alone.scene)
    }
  })

  test('carries on or answers anew what they said themselves', () => {
    const chat = heardBy(chatOf(GROUP), 'Alice')
    const options = { member: alice, visitor: ANNA, target: 'm4' }
    expect(stageChat(chat, options).scene.turns.at(-1)?.text).toBe('Bram: Not me.')
    const { turns, continueLast } = stageChat(chat, { ...options, continueTarget: true }).scene
    expect([turns.at(-1), continueLast]).toEqual([{ speaker: 'role', text: 'Nor I.' }, true])
  })

  test('is told the scene in place of the card’s scenario, trained or not, where there is room', () => {
    const chat = chatOf({ ...GROUP, scene: '{{char}} and {{user}} on a ferry.' })
    expect(staged(chat, orla.key, true).scene.script?.texts.scenario).toBe('Orla and Anna on a ferry.')
    expect(staged(chat, 'Alice', true).scene.script?.texts.scenario).toBe('Alice and Anna on a ferry.')
    expect(staged(chatOf(GROUP), orla.key, true).scene.script?.texts.scenario).toBe('A lighthouse.')
    expect(staged(chatOf(GROUP), 'Alice', true).scene.script?.texts).not.toHaveProperty('scenario')
    expect(staged(chat, 'Alice').unsaid).toEqual([remark('part.scene')])
  })

  test('is told the cards of all as one where the group has it so, and where there is room', () => {
    const joined = { isWithMuted: false, prefix: '{{char}}: ', suffix: '' }
    const chat = chatOf({ ...GROUP, joined })
    const textsFor = (key: string) => staged(chat, key, true).scene.script?.texts
    expect(textsFor(orla.key)).toMatchObject({
      description: 'Alice: A girl.\nOrla: Orla keeps a cat.',
      scenario: 'Alice: At tea.\nOrla: A lighthouse.',
    })
    // Weights play Alice: of her own card she need not be told.
    expect(textsFor('Alice')).toMatchObject({ description: 'Orla: Orla keeps a cat.' })
    expect(staged(chat, 'Alice').unsaid).toEqual([remark('part.cards')])
    const muted = { ...GROUP.members[1]!, isMuted: true }
    const hushed = chatOf({ ...GROUP, joined, members: GROUP.members.with(1, muted) })
    expect(staged(hushed, 'Alice', true).scene.script?.texts).toEqual({})
  })

  test('ends where they begin to speak for another, and not at their own name', () => {
    const names = chatNames(heardBy(chatOf(GROUP), 'Alice'), alice, ANNA)
    expect(stopsFor(['\n{{user}}:', '###'], names, GROUP)).toEqual(['\nAnna:', '###', '\nOrla:', '\nBram:'])
    expect(stopsFor(['###'], names)).toEqual(['###'])
  })

  test.each([
    ['Orla: Mind the stairs.', true, 'Mind the stairs.'],
    ['\nOrla:\nMind', false, 'Mind'],
    ['Or', false, ''],
    ['Or', true, 'Or'],
    ['Oranges.', false, 'Oranges.'],
    ['Bram: Orla: no.', true, 'Bram: Orla: no.'],
  ])('does not say their own name before %j', (text, isWhole, expected) => {
    expect(withoutName(text, 'Orla', isWhole)).toBe(expected)
  })
})

describe('several', () => {
  const chat = chatOf(GROUP)

  test('are called by their names, and each says what they say under their own', () => {
    expect(characterIn(chat, undefined)).toBe('Alice, Orla and 1 more')
    const names = chatNames(chat, undefined, ANNA)
    const words = chat.messages.map((message) => wordsOf(selectedTake(message), message, chat, names))
    expect(words[0]).toBe('Alice waves at Anna.')
  })

  test('have one who spoke last, or else their first', () => {
    expect(lastSpeaker(chat)).toBe('Alice')
    expect(lastSpeaker({ ...chat, messages: chat.messages.slice(0, 2) })).toBe(orla.key)
    expect(lastSpeaker({ ...chat, messages: [] })).toBe('Alice')
    expect(lastSpeaker({ ...chat, group: null })).toBeNull()
  })

  test('are others to the visitor, whose line the model writes', () => {
    const { scene, names } = stageVisitor(chat, { member: undefined, visitor: ANNA, written: '' })
    expect(scene.system).toMatch(/^You are Anna, in a chat with Alice, Orla and 1 more\./)
    expect(scene.turns.slice(1, 4)).toEqual([
      { speaker: 'user', text: 'Orla: Mind the stairs.' },
      { speaker: 'role', text: 'Who has matches?' },
      { speaker: 'user', text: 'Bram: Not me.' },
    ])
    expect(stopsFor([], names, GROUP)).toEqual([
      '\nAlice, Orla and 1 more:',
      '\nAlice:',
      '\nOrla:',
      '\nBram:',
    ])
  })
})
