import { check } from '../core/errors.ts'
import { isJsonRecord, ownField, parseStrictJson } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type {
  ChatBook,
  ChatNote,
  ChatRecap,
  ChatChange,
  ChatEvent,
  ChatSource,
  Generation,
  NewMessage,
  Take,
} from './records.ts'
import { readGroup } from './chatGroup.ts'
import { storeEvent } from './storedChat.ts'

/** A chat's log as text: one event a line. */
export function writeChatEvents(events: readonly ChatEvent[]): string {
  return events.map((event) => `${JSON.stringify(storeEvent(event))}\n`).join('')
}

/**
 * Reads what `writeChatEvents` wrote, field by field, whoever wrote it.
 *
 * @throws HycoraError `format-invalid` naming the line that is no event of this chat.
 */
export function readChatEvents(text: string, name: string): readonly ChatEvent[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line, index) => {
    const value = parseStrictJson(line, `${name}: line ${index + 1}`)
    const event = isJsonRecord(value) ? readEvent(value) : null
    check(event, 'format-invalid', () => `${name}: line ${index + 1} is no event of a chat`)
    return event
  })
}

function readEvent(record: JsonRecord): ChatEvent | null {
  const [version, chat, at] = ['version', 'chat', 'at'].map((key) => ownField(record, key))
  if (version !== 1 || typeof chat !== 'string' || chat === '' || !isNumber(at)) return null
  const change = readChange(record)
  return change && { ...change, version, chat, at }
}

function readChange(record: JsonRecord): ChatChange | null {
  const field = (name: string): unknown => ownField(record, name)
  const kind = field('kind')
  switch (kind) {
    case 'chat-created': {
      const [key, title, metadata] = [field('role'), field('title'), field('metadata')]
      if (!isTextOrNull(key) || !isTextOrNull(title) || !isTextOrNull(metadata)) return null
      const parent = readParent(field('parent'))
      const source = readSource(field('source'))
      return parent === undefined ? null : { kind, key, title, parent, metadata, ...(source && { source }) }
    }
    case 'chat-titled': {
      const title = field('title')
      return typeof title === 'string' ? { kind, title } : null
    }
    case 'scene-changed': {
      const [key, strength] = [field('role'), field('strength')]
      return isTextOrNull(key) && isNumber(strength) ? { kind, key, strength } : null
    }
    case 'chat-deleted':
    case 'chat-restored':
      return { kind }
    case 'message-added': {
      const message = readMessage(field('message'))
      return message && { kind, message }
    }
    case 'take-added': {
      const [message, take] = [field('message'), readTake(field('take'))]
      return typeof message === 'string' && take ? { kind, message, take } : null
    }
    case 'take-selected': {
      const [message, take] = [field('message'), field('take')]
      return typeof message === 'string' && typeof take === 'string' ? { kind, message, take } : null
    }
    case 'take-edited': {
      const [message, take, text] = [field('message'), field('take'), field('text')]
      const generation = readGeneration(field('generation'))
      if (typeof message !== 'string' || typeof take !== 'string' || typeof text !== 'string') return null
      return generation === undefined ? null : { kind, message, take, text, generation }
    }
    case 'note-changed':
    case 'facts-changed':
    case 'recap-changed':
    case 'books-changed':
      return readTold(kind, record)
    case 'persona-changed':
    case 'group-changed':
      return readCompany(kind, record)
    case 'messages-deleted':
    case 'messages-restored': {
      const messages = field('messages')
      return isTexts(messages) ? { kind, messages } : null
    }
    default:
      return null
  }
}

/** What a chat is told beside its messages. */
function readTold(
  kind: 'note-changed' | 'facts-changed' | 'recap-changed' | 'books-changed',
  record: JsonRecord,
): ChatChange | null {
  if (kind === 'note-changed') {
    const note = readNote(ownField(record, 'note'))
    return note === undefined ? null : { kind, note }
  }
  if (kind === 'facts-changed') {
    const facts = ownField(record, 'facts')
    return isTexts(facts) ? { kind, facts } : null
  }
  if (kind === 'recap-changed') {
    const recap = readRecap(ownField(record, 'recap'))
    return recap === undefined ? null : { kind, recap }
  }
  const books = readAll(ownField(record, 'books'), readBook)
  return books && { kind, books }
}

/** Whom the visitor is in a chat, and who plays where several do. */
function readCompany(kind: 'persona-changed' | 'group-changed', record: JsonRecord): ChatChange | null {
  if (kind === 'group-changed') {
    const group = readGroup(ownField(record, 'group'))
    return group === undefined ? null : { kind, group }
  }
  const persona = ownField(record, 'persona')
  return isTextOrNull(persona) ? { kind, persona } : null
}

/** All of a list; null where it is none, or one of it is not what it should be. */
function readAll<T>(value: unknown, read: (one: unknown) => T | null): readonly T[] | null {
  if (!Array.isArray(value)) return null
  const found = value.flatMap((one: unknown) => read(one) ?? [])
  return found.length === value.length ? found : null
}

/** Undefined where it is none. */
function readNote(value: unknown): ChatNote | null | undefined {
  if (value === null) return null
  if (!isJsonRecord(value)) return undefined
  const [text, depth, every] = ['text', 'depth', 'every'].map((key) => ownField(value, key))
  return typeof text === 'string' && isNumber(depth) && isNumber(every) ? { text, depth, every } : undefined
}

/** Undefined where it is none. */
function readRecap(value: unknown): ChatRecap | null | undefined {
  if (value === null) return null
  if (!isJsonRecord(value)) return undefined
  const [text, until] = [ownField(value, 'text'), ownField(value, 'until')]
  return typeof text === 'string' && typeof until === 'string' ? { text, until } : undefined
}

function readBook(value: unknown): ChatBook | null {
  if (!isJsonRecord(value)) return null
  const [name, text] = [ownField(value, 'name'), ownField(value, 'text')]
  return typeof name === 'string' && typeof text === 'string' ? { name, text } : null
}

/** Undefined where it is none. */
function readParent(value: unknown): { readonly chat: string; readonly message: string } | null | undefined {
  if (value === null) return null
  if (!isJsonRecord(value)) return undefined
  const [chat, message] = [ownField(value, 'chat'), ownField(value, 'message')]
  return typeof chat === 'string' && typeof message === 'string' ? { chat, message } : undefined
}

function readSource(value: unknown): ChatSource | null {
  if (!isJsonRecord(value)) return null
  const [user, character, header] = ['user', 'character', 'header'].map((key) => ownField(value, key))
  const isWhole = typeof user === 'string' && typeof character === 'string' && typeof header === 'string'
  return isWhole ? { user, character, header } : null
}

/** The part of a record that holds what another program says. */
function readForeign(value: JsonRecord): { readonly foreign?: string } {
  const foreign = ownField(value, 'foreign')
  return typeof foreign === 'string' ? { foreign } : {}
}

function readMessage(value: unknown): NewMessage | null {
  if (!isJsonRecord(value)) return null
  const [id, speaker, name, key] = ['id', 'speaker', 'name', 'role'].map((field) => ownField(value, field))
  const [excluded, takes, selected] = ['excluded', 'takes', 'selected'].map((field) => ownField(value, field))
  if (typeof id !== 'string' || typeof name !== 'string' || !isTextOrNull(key)) return null
  if ((speaker !== 'user' && speaker !== 'role') || typeof excluded !== 'boolean') return null
  if (!Array.isArray(takes) || takes.length === 0 || !Number.isInteger(selected)) return null
  const read = takes.map(readTake).filter((take) => take !== null)
  return read.length === takes.length && isNumber(selected)
    ? { id, speaker, name, key, excluded, takes: read, selected, ...readForeign(value) }
    : null
}

function readTake(value: unknown): Take | null {
  if (!isJsonRecord(value)) return null
  const [id, text, at] = ['id', 'text', 'at'].map((key) => ownField(value, key))
  const generation = readGeneration(ownField(value, 'generation'))
  return typeof id === 'string' && typeof text === 'string' && isNumber(at) && generation !== undefined
    ? { id, text, at, generation, ...readForeign(value) }
    : null
}

const STOPS = ['end', 'length', 'context', 'cancelled', 'loop', 'stop'] as const

/** How an answer was made, field by field from its stored form; null where none was, undefined where the value says nothing of it. */
export function readGeneration(value: unknown): Generation | null | undefined {
  if (value === null) return null
  if (!isJsonRecord(value)) return undefined
  const number = (name: string): number => {
    const found = ownField(value, name)
    return isNumber(found) ? found : 0
  }
  const [backbone, key] = [ownField(value, 'backbone'), ownField(value, 'role')]
  return {
    backbone: typeof backbone === 'string' ? backbone : '',
    key: typeof key === 'string' ? key : null,
    strength: number('strength'),
    seed: number('seed'),
    promptTokens: number('promptTokens'),
    tokens: number('tokens'),
    tokensPerSecond: number('tokensPerSecond'),
    context: number('context'),
    stop: STOPS.find((stop) => stop === ownField(value, 'stop')) ?? 'end',
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}
