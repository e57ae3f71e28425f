import { check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { Chat, Message } from './chat.ts'
import { selectedTake, visibleMessages } from './chat.ts'
import { readGeneration } from './chatEvents.ts'
import type { NewMessage, Take } from './records.ts'
import { storeGeneration } from './storedChat.ts'

/*
 * Chats as SillyTavern keeps them: one JSON object a line, the first a header, then one message each.
 * Invariants of what is written: `swipes[swipe_id] === mes`, `swipe_info.length === swipes.length`.
 */

/** A chat that came from a file. */
export interface ImportedChat {
  readonly characterName: string
  readonly userName: string
  readonly createdAt: number
  /** `chat_metadata` as JSON; null without one. */
  readonly metadata: string | null
  readonly messages: readonly NewMessage[]
  /** Lines that could not be used, counted from 1. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[]
}

type Fields = ReadonlyMap<string, unknown>

/** The last moment that a Date can hold, in milliseconds since 1970. */
const LAST_TIME = 8.64e15

/** A chat as SillyTavern JSONL; macros such as `{{user}}` are replaced by `resolve`. */
export function exportChat(
  chat: Chat,
  names: { readonly user: string; readonly character: string },
  resolve: (text: string) => string = (text) => text,
): string {
  const header = {
    user_name: names.user,
    character_name: names.character,
    create_date: new Date(chat.createdAt).toISOString(),
    chat_metadata: chat.metadata === null ? {} : (JSON.parse(chat.metadata) as unknown),
  }
  const lines = visibleMessages(chat).map((message) => exportMessage(message, resolve))
  return [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}

function exportMessage(message: Message, resolve: (text: string) => string): Record<string, unknown> {
  const shown = selectedTake(message)
  const swipes = message.takes.length > 1 || message.speaker === 'role'
  return {
    name: message.name,
    is_user: message.speaker === 'user',
    is_system: message.excluded,
    send_date: new Date(shown.at).toISOString(),
    mes: resolve(shown.text),
    extra: extraOf(shown, message.key),
    ...(swipes && {
      swipe_id: message.selected,
      swipes: message.takes.map((take) => resolve(take.text)),
      swipe_info: message.takes.map((take) => ({
        send_date: new Date(take.at).toISOString(),
        extra: extraOf(take, message.key),
      })),
    }),
  }
}

/** Our own facts travel under one name, in their stored form; `token_count` is SillyTavern's. */
function extraOf({ generation }: Take, key: string | null): Record<string, unknown> {
  if (!generation) return key === null ? {} : { hycora: { role: key } }
  return { token_count: generation.tokens, hycora: { role: key, generation: storeGeneration(generation) } }
}

/**
 * A chat from SillyTavern JSONL, leniently: lines that cannot be used are skipped and reported.
 *
 * @param newId gives the ids of messages and takes.
 * @throws HycoraError `format-invalid` when no line holds a message.
 */
export function importChat(text: string, newId: () => string, now = Date.now()): ImportedChat {
  const messages: NewMessage[] = []
  const skipped: { line: number; reason: string }[] = []
  let header: Fields = new Map()
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (line.trim() === '') continue
    const fields = parseLine(line)
    if (!fields) skipped.push({ line: index + 1, reason: 'it is not a JSON object' })
    else if (isHeader(fields)) header = fields
    else {
      const message = importMessage(fields, newId, messages.at(-1)?.takes[0]?.at ?? now)
      if (message) messages.push(message)
      else skipped.push({ line: index + 1, reason: 'it has no text' })
    }
  }
  check(
    messages.length > 0,
    'format-invalid',
    () => 'the file has no line with a message, expected SillyTavern JSONL',
  )
  const nameOf = (speaker: 'user' | 'role'): string =>
    messages.find((message) => message.speaker === speaker)?.name ?? ''
  const metadata = header.get('chat_metadata')
  return {
    characterName: known(header.get('character_name')) || nameOf('role'),
    userName: known(header.get('user_name')) || nameOf('user'),
    createdAt: readDate(header.get('create_date')) ?? messages[0]?.takes[0]?.at ?? now,
    metadata: isJsonRecord(metadata) && Object.keys(metadata).length > 0 ? JSON.stringify(metadata) : null,
    messages,
    skipped,
  }
}

/** Newer files say "unused" where older ones have a name. */
function known(name: unknown): string {
  return typeof name === 'string' && name !== 'unused' ? name : ''
}

function parseLine(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isJsonRecord(value) ? new Map(Object.entries(value)) : undefined
  } catch {
    return undefined
  }
}

function isHeader(fields: Fields): boolean {
  return !fields.has('mes') && ['chat_metadata', 'user_name', 'character_name'].some((key) => fields.has(key))
}

/** Chub's lines carry `{message}` where others carry the text itself. */
function readText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const message = isJsonRecord(value) ? ownField(value, 'message') : undefined
  return typeof message === 'string' ? message : undefined
}

/** A wording of a message with what the file says of it. */
interface Swipe {
  readonly text: string
  readonly info: unknown
}

function importMessage(fields: Fields, newId: () => string, before: number): NewMessage | undefined {
  const shown = readText(fields.get('mes'))
  const infos = fields.get('swipe_info')
  const swipeField = fields.get('swipes')
  const swipes = (Array.isArray(swipeField) ? swipeField : []).flatMap((swipe: unknown, index): Swipe[] => {
    const text = readText(swipe)
    return text === undefined ? [] : [{ text, info: Array.isArray(infos) ? infos[index] : undefined }]
  })
  if (shown === undefined && swipes.length === 0) return undefined

  const swipeId = fields.get('swipe_id')
  const wanted = typeof swipeId === 'number' && swipeId in swipes ? swipeId : swipes.length - 1
  // `mes` is what was on the screen: where the named swipe differs, it is kept as a take of its own.
  const isNamed = shown === undefined || swipes[wanted]?.text === shown
  const found = isNamed ? wanted : swipes.findIndex(({ text }) => text === shown)
  const all = found < 0 ? [...swipes, { text: shown ?? '', info: undefined }] : swipes

  const at = readDate(fields.get('send_date')) ?? before
  const takes = all.map(({ text, info }): Take => {
    const own = isJsonRecord(info) ? info : {}
    const extra = ownField(own, 'extra') ?? (all.length === 1 ? fields.get('extra') : undefined)
    return {
      id: newId(),
      text,
      at: readDate(ownField(own, 'send_date')) ?? at,
      generation: readGeneration(ourField(extra, 'generation')) ?? null,
    }
  })
  const name = fields.get('name')
  return {
    id: newId(),
    speaker: fields.get('is_user') === true ? 'user' : 'role',
    name: typeof name === 'string' ? name : '',
    key: readKey(fields.get('extra')),
    excluded: fields.get('is_system') === true,
    takes,
    selected: found < 0 ? all.length - 1 : found,
  }
}

function ourField(extra: unknown, key: string): unknown {
  const own = isJsonRecord(extra) ? ownField(extra, 'hycora') : undefined
  return isJsonRecord(own) ? ownField(own, key) : undefined
}

function readKey(extra: unknown): string | null {
  const key = ourField(extra, 'role')
  return typeof key === 'string' ? key : null
}

/**
 * A date in any of the forms found in chats: ISO, milliseconds, "February 8, 2026 3:57pm", "2024-9-28 @12h 00m 00s".
 * Undefined when it is none of them.
 */
export function readDate(value: unknown): number | undefined {
  const time = readTime(value)
  // Beyond what a Date holds, writing it out would fail.
  return Math.abs(time) <= LAST_TIME ? time : undefined
}

/** Milliseconds since 1970; NaN where it is no date. */
function readTime(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return NaN
  if (/^\d{12,}$/.test(value)) return Number(value)
  const stamped =
    /^(\d{4})-(\d{1,2})-(\d{1,2})\s*@\s*(\d{1,2})h\s*(\d{1,2})m\s*(\d{1,2})s(?:\s*(\d{1,3})ms)?/.exec(value)
  if (stamped) {
    const [year, month, day, hour, minute, second, millisecond] = stamped
      .slice(1)
      .map((part) => Number(part ?? 0))
    return new Date(year ?? 0, (month ?? 1) - 1, day, hour, minute, second, millisecond || 0).getTime()
  }
  return Date.parse(value.replace(/(\d)\s*([ap]m)\b/i, '$1 $2'))
}
