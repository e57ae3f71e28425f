import { noteOf } from './chatNote.ts'
import type {
  ChatBook,
  ChatGroup,
  ChatNote,
  ChatRecap,
  ChatChange,
  ChatEvent,
  ChatSource,
  ChatSummary,
  NewMessage,
  Take,
} from './records.ts'

/** A message of a folded chat; deleted ones stay, so that they can come back. */
export interface Message extends NewMessage {
  readonly deleted: boolean
}

/** A chat as its events leave it. */
export interface Chat {
  readonly id: string
  /** Of the member that plays; null for the bare backbone, and where several play. */
  readonly key: string | null
  /** Those who play, where there are several. */
  readonly group: ChatGroup | null
  /** 1 is the trained strength; 0 to 1.5. */
  readonly strength: number
  readonly title: string | null
  readonly parent: { readonly chat: string; readonly message: string } | null
  readonly metadata: string | null
  /** Null where the chat began here. */
  readonly source: ChatSource | null
  /** What the visitor has the character keep to. */
  readonly note: ChatNote | null
  /** What the visitor has the character keep in mind. */
  readonly facts: readonly string[]
  /** What happened in it so far; null where nobody has summed it up. */
  readonly recap: ChatRecap | null
  /** Whom the visitor is in it: a persona's id; null is the visitor under their own name. */
  readonly persona: string | null
  /** Lorebooks that go with it. */
  readonly books: readonly ChatBook[]
  readonly deleted: boolean
  readonly createdAt: number
  readonly updatedAt: number
  /** All messages in the order of their arrival, deleted ones too. */
  readonly messages: readonly Message[]
  /** Events that this build could not read; they stay in the log. */
  readonly unreadable: number
}

/** The longest title that is made from the visitor's first words. */
const TITLE_LENGTH = 48
const EXCERPT_LENGTH = 120

/**
 * A chat from its log: the events applied in order. Undefined when the log has no `chat-created`.
 * Events about unknown messages and repeated ids change nothing, so two tabs that write at once cannot break a chat.
 */
export function foldChat(events: readonly ChatEvent[]): Chat | undefined {
  return events.reduce<Chat | undefined>(applyEvent, undefined)
}

/** The chat after one more event. */
export function applyEvent(chat: Chat | undefined, event: ChatEvent): Chat | undefined {
  if (!chat) return event.kind === 'chat-created' ? startChat(event) : undefined
  if (event.chat !== chat.id) return chat
  if (event.version !== 1) return { ...chat, unreadable: chat.unreadable + 1 }
  return { ...applyChange(chat, event), updatedAt: Math.max(chat.updatedAt, event.at) }
}

function startChat(event: ChatEvent & { kind: 'chat-created' }): Chat {
  return {
    id: event.chat,
    key: event.key,
    group: null,
    strength: 1,
    title: event.title,
    parent: event.parent,
    metadata: event.metadata,
    source: event.source ?? null,
    note: noteOf(event.metadata),
    facts: [],
    recap: null,
    persona: null,
    books: [],
    deleted: false,
    createdAt: event.at,
    updatedAt: event.at,
    messages: [],
    unreadable: 0,
  }
}

function applyChange(chat: Chat, change: ChatChange): Chat {
  switch (change.kind) {
    case 'chat-created':
      return chat
    case 'chat-titled':
      return { ...chat, title: change.title }
    case 'scene-changed':
      return { ...chat, key: change.key, strength: change.strength }
    case 'note-changed':
      return { ...chat, note: change.note }
    case 'facts-changed':
      return { ...chat, facts: change.facts }
    case 'recap-changed':
      return { ...chat, recap: change.recap }
    case 'books-changed':
      return { ...chat, books: change.books }
    case 'persona-changed':
      return { ...chat, persona: change.persona }
    case 'group-changed':
      return { ...chat, group: change.group }
    case 'chat-deleted':
      return { ...chat, deleted: true }
    case 'chat-restored':
      return { ...chat, deleted: false }
    case 'message-added':
      return addMessage(chat, change.message)
    case 'take-added':
      return changeMessage(chat, change.message, (message) => addTake(message, change.take))
    case 'take-selected':
      return changeMessage(chat, change.message, (message) => selectTake(message, change.take))
    case 'take-edited':
      return changeMessage(chat, change.message, (message) => ({
        ...message,
        takes: message.takes.map((take) =>
          take.id === change.take
            ? { ...take, text: change.text, generation: change.generation ?? take.generation }
            : take,
        ),
      }))
    case 'messages-deleted':
      return setDeleted(chat, change.messages, true)
    case 'messages-restored':
      return setDeleted(chat, change.messages, false)
    default:
      return { ...chat, unreadable: chat.unreadable + 1 }
  }
}

function addMessage(chat: Chat, added: NewMessage): Chat {
  if (added.takes.length === 0 || chat.messages.some((message) => message.id === added.id)) return chat
  const selected = Math.min(Math.max(0, added.selected), added.takes.length - 1)
  return { ...chat, messages: [...chat.messages, { ...added, selected, deleted: false }] }
}

function addTake(message: Message, take: Take): Message {
  if (message.takes.some((present) => present.id === take.id)) return message
  return { ...message, takes: [...message.takes, take], selected: message.takes.length }
}

function selectTake(message: Message, takeId: string): Message {
  const selected = message.takes.findIndex((take) => take.id === takeId)
  return selected < 0 ? message : { ...message, selected }
}

function changeMessage(chat: Chat, id: string, change: (message: Message) => Message): Chat {
  return {
    ...chat,
    messages: chat.messages.map((message) => (message.id === id ? change(message) : message)),
  }
}

function setDeleted(chat: Chat, ids: readonly string[], deleted: boolean): Chat {
  return {
    ...chat,
    messages: chat.messages.map((message) => (ids.includes(message.id) ? { ...message, deleted } : message)),
  }
}

/** The messages that are shown, in order. */
export function visibleMessages(chat: Chat): readonly Message[] {
  return chat.messages.filter((message) => !message.deleted)
}

/** The take of a message that is shown. */
export function selectedTake(message: NewMessage): Take {
  const take = message.takes[message.selected] ?? message.takes[0]
  // A folded message has a take; this serves a hand-made one.
  return take ?? { id: message.id, text: '', at: 0, generation: null }
}

/** What a chat is called in summaries before anybody has said a word or named it; the page says it in its own language. */
export const NAMELESS = 'New chat'

/** What a chat is called: its title, else the visitor's first words, shortened. */
export function chatTitle(chat: Chat): string {
  if (chat.title) return chat.title
  const first = visibleMessages(chat).find((message) => message.speaker === 'user')
  return first ? shorten(selectedTake(first).text, TITLE_LENGTH) : NAMELESS
}

/** A chat as lists show it. */
export function summarize(chat: Chat): ChatSummary {
  const messages = visibleMessages(chat)
  const last = messages.at(-1)
  const isGroup = chat.group !== null
  const character = chat.key === null ? (chat.source?.character ?? '') : ''
  return {
    ...(character !== '' && { character }),
    ...(chat.group && { company: chat.group.members.map(({ key, name }) => ({ key, name })) }),
    version: 1,
    id: chat.id,
    key: chat.key,
    title: chatTitle(chat),
    lastText: last ? shorten(selectedTake(last).text, EXCERPT_LENGTH) : '',
    messages: messages.length,
    started: chat.messages.some((message) => message.speaker === 'user' || (isGroup && isAnswer(message))),
    deleted: chat.deleted,
    createdAt: chat.createdAt,
    updatedAt: chat.updatedAt,
  }
}

/** Whether somebody said it here, and not only as a greeting. */
export function isAnswer({ takes }: NewMessage): boolean {
  return takes.some(({ generation }) => generation !== null)
}

function shorten(text: string, length: number): string {
  const line = text.replaceAll('*', '').replaceAll(/\s+/g, ' ').trim()
  if (line.length <= length) return line
  const cut = line.slice(0, length)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), length / 2)).trimEnd()}…`
}
