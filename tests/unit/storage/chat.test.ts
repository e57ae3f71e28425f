import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  applyEvent,
  chatTitle,
  foldChat,
  selectedTake,
  summarize,
  visibleMessages,
} from '../../../src/storage/chat.ts'
import type { ChatChange, ChatEvent } from '../../../src/storage/records.ts'

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const takeId = fc.constantFrom('1', '2', '3', '4')
const take = fc.record({
  id: takeId,
  text: fc.string({ maxLength: 8 }),
  at: fc.nat(1000),
  generation: fc.constant(null),
})

const change: fc.Arbitrary<ChatChange> = fc.oneof(
  fc.record({
    kind: fc.constant('message-added' as const),
    message: fc.record({
      id,
      speaker: fc.constantFrom('user' as const, 'role' as const),
      name: fc.constant('Someone'),
      key: fc.constant(null),
      excluded: fc.boolean(),
      takes: fc.uniqueArray(take, { maxLength: 3, selector: ({ id: key }) => key }),
      selected: fc.integer({ min: -2, max: 5 }),
    }),
  }),
  fc.record({ kind: fc.constant('take-added' as const), message: id, take }),
  fc.record({ kind: fc.constant('take-selected' as const), message: id, take: takeId }),
  fc.record({
    kind: fc.constant('take-edited' as const),
    message: id,
    take: takeId,
    text: fc.string({ maxLength: 8 }),
    generation: fc.constant(null),
  }),
  fc.record({ kind: fc.constant('messages-deleted' as const), messages: fc.array(id, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('messages-restored' as const), messages: fc.array(id, { maxLength: 3 }) }),
  fc.record({
    kind: fc.constant('scene-changed' as const),
    key: fc.constant('Alice'),
    strength: fc.constant(0.5),
  }),
  fc.constantFrom<ChatChange>({ kind: 'chat-deleted' }, { kind: 'chat-restored' }),
)

const created: ChatEvent = {
  kind: 'chat-created',
  key: 'Holmes',
  title: null,
  parent: null,
  metadata: null,
  version: 1,
  chat: 'chat',
  at: 0,
}
const stamp = (changes: readonly ChatChange[]): ChatEvent[] =>
  changes.map((one, index) => ({ ...one, version: 1, chat: 'chat', at: index + 1 }))
const chatOf = (changes: readonly ChatChange[]) => foldChat([created, ...stamp(changes)])!
const changes = fc.array(change, { maxLength: 40 })
const settings = { seed: 20260211, numRuns: 500 }

describe('a folded chat', () => {
  test('always shows one take of each message', () => {
    fc.assert(
      fc.property(changes, (log) => {
        for (const message of chatOf(log).messages) {
          expect(message.takes.length).toBeGreaterThan(0)
          expect(message.takes[message.selected]).toBe(selectedTake(message))
          expect(new Set(message.takes.map((one) => one.id)).size).toBe(message.takes.length)
        }
      }),
      settings,
    )
  })

  test('never loses a message or a take', () => {
    fc.assert(
      fc.property(changes, (log) => {
        const held = chatOf(log).messages.flatMap((message) => [
          message.id,
          ...message.takes.map((one) => `${message.id}/${one.id}`),
        ])
        const arrived = new Set<string>()
        for (const one of log) {
          if (one.kind === 'message-added' && one.message.takes.length > 0 && !arrived.has(one.message.id)) {
            arrived.add(one.message.id)
            for (const first of one.message.takes) arrived.add(`${one.message.id}/${first.id}`)
          }
          if (one.kind === 'take-added' && arrived.has(one.message))
            arrived.add(`${one.message}/${one.take.id}`)
        }
        expect(held.toSorted()).toEqual([...arrived].toSorted())
      }),
      settings,
    )
  })

  test('is the same folded at once and event by event, and a repeated event adds nothing', () => {
    fc.assert(
      fc.property(changes, (log) => {
        const events = [created, ...stamp(log)]
        const [first, ...rest] = events
        let chat = applyEvent(undefined, first!)
        for (const event of rest) chat = applyEvent(chat, event)
        expect(chat).toEqual(foldChat(events))
        expect(
          foldChat([...events, ...events.filter(({ kind }) => kind === 'message-added')])?.messages,
        ).toEqual(chat?.messages)
      }),
      settings,
    )
  })

  test('gives back what was deleted', () => {
    fc.assert(
      fc.property(changes, fc.uniqueArray(id, { minLength: 1 }), (log, ids) => {
        const before = chatOf([...log, { kind: 'messages-restored', messages: ids }])
        const deleted = applyEvent(before, {
          kind: 'messages-deleted',
          messages: ids,
          version: 1,
          chat: 'chat',
          at: 0,
        })!
        expect(visibleMessages(deleted).some((message) => ids.some((one) => one === message.id))).toBe(false)
        const after = applyEvent(deleted, {
          kind: 'messages-restored',
          messages: ids,
          version: 1,
          chat: 'chat',
          at: 0,
        })
        expect(after).toEqual(before)
      }),
      settings,
    )
  })

  test('is nothing without its first event, and is not begun again by a second one', () => {
    expect(foldChat([])).toBeUndefined()
    expect(foldChat(stamp([{ kind: 'chat-deleted' }]))).toBeUndefined()
    const chat = chatOf([line('m', 'user', 'Hello')])
    expect(applyEvent(chat, { ...created, key: null, at: 9 })?.messages).toEqual(chat.messages)
  })

  test('leaves alone what a newer build wrote, and counts it', () => {
    const strange = { kind: 'message-sung', version: 2, chat: 'chat', at: 5 } as unknown as ChatEvent
    const chat = foldChat([created, ...stamp([line('m', 'user', 'Hello')]), strange])
    expect(chat?.messages).toHaveLength(1)
    expect(chat?.unreadable).toBe(1)
  })
})

describe('a summary', () => {
  test("is titled by the visitor's first words, shortened at a word", () => {
    const words = 'Tell me about the hound that howls on the moor when the fog comes in'
    const chat = chatOf([line('g', 'role', 'Good evening.'), line('m', 'user', words)])
    expect(chatTitle(chat)).toBe('Tell me about the hound that howls on the moor…')
    expect(summarize(chat)).toMatchObject({ started: true, messages: 2, deleted: false, key: 'Holmes' })
  })

  test('does not call a chat started that holds only a greeting', () => {
    expect(summarize(chatOf([line('g', 'role', 'Good evening.')])).started).toBe(false)
  })
})

function line(key: string, speaker: 'user' | 'role', text: string): ChatChange {
  return {
    kind: 'message-added',
    message: {
      id: key,
      speaker,
      name: speaker,
      key: null,
      excluded: false,
      takes: [{ id: `${key}1`, text, at: 1, generation: null }],
      selected: 0,
    },
  }
}
