import { check } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { isChatHeader, readChatRows } from '../formats/chatFile.ts'
import type { ChatRows } from '../formats/chatFile.ts'
import { readGeneration } from './chatEvents.ts'
import { cardFilesIn, groupIn, withoutOwn } from './groupFiles.ts'
import type { ChatGroup, NewMessage, Take } from './records.ts'

/*
 * Chats as SillyTavern keeps them: one JSON object a line, the first a header, then one message each. What writes them is
 * `chatExport.ts`.
 */

/** A chat that came from a file. */
export interface ImportedChat {
  /** Whose form the file has. */
  readonly program: string
  /** What the chat is called there; null where it has no name. */
  readonly title: string | null
  readonly characterName: string
  readonly userName: string
  /** Its header without `chat_metadata`, as JSON. */
  readonly header: string
  readonly createdAt: number
  /** `chat_metadata` as JSON; null without one. */
  readonly metadata: string | null
  readonly messages: readonly NewMessage[]
  /** Those who play, where several do; their keys are those that were recorded, else null. */
  readonly group: ChatGroup | null
  /** The files of the cards of those who speak, as the file has them, with their names. */
  readonly cardFiles: ReadonlyMap<string, string>
  /** Lines that could not be used, counted from 1. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[]
}

/** The last moment that a Date can hold, in milliseconds since 1970. */
const LAST_TIME = 8.64e15

/** What of a message belongs to the take that is shown. */
const OF_TAKE: ReadonlySet<string> = new Set(['extra', 'send_date', 'gen_started', 'gen_finished'])
/** What of a message is written from what is known of it. */
const OF_MESSAGE: ReadonlySet<string> = new Set([
  'name',
  'is_user',
  'is_system',
  'mes',
  'swipes',
  'swipe_id',
  'swipe_info',
  ...OF_TAKE,
])

/** An object as it is kept; undefined where it holds nothing, or nests too deep to be written. */
function jsonOf(record: JsonRecord): string | undefined {
  if (Object.keys(record).length === 0) return undefined
  try {
    return JSON.stringify(record)
  } catch {
    return undefined
  }
}

/**
 * The chats of SillyTavern JSONL, or of what another program writes, which may hold several, leniently: lines that cannot be
 * used are skipped and reported, chats in which nobody says anything are left out where there are others.
 *
 * @param newId gives the ids of messages and takes.
 * @returns at least one.
 * @throws HycoraError `format-invalid` when no line holds a message.
 */
export function importChats(
  text: string,
  newId: () => string,
  now = Date.now(),
): readonly [ImportedChat, ...ImportedChat[]] {
  const found = readChatRows(text)
  check(found, 'format-invalid', () => 'the file has no line with a message, expected SillyTavern JSONL')
  const [first, ...others] = found
    .map((chat) => importRows(chat, newId, now))
    .filter(({ messages }) => messages.length > 0)
  check(
    first,
    'format-invalid',
    () => `this chat of ${found[0]?.program ?? 'nobody'} has no message: nobody says anything in it`,
  )
  return [first, ...others]
}

function importRows(found: ChatRows, newId: () => string, now: number): ImportedChat {
  const messages: NewMessage[] = []
  const records: JsonRecord[] = []
  const skipped = [...found.skipped]
  let header: JsonRecord = {}
  for (const { line, record } of found.rows) {
    if (isChatHeader(record)) header = record
    else {
      const message = importMessage(record, newId, messages.at(-1)?.takes[0]?.at ?? now)
      if (message) {
        messages.push(message)
        records.push(record)
      } else skipped.push({ line, reason: 'it has no text' })
    }
  }
  const nameOf = (speaker: 'user' | 'role'): string =>
    messages.find((message) => message.speaker === speaker)?.name ?? ''
  const metadata = ownField(header, 'chat_metadata')
  const others = Object.entries(header).filter(([key]) => key !== 'chat_metadata')
  return {
    program: found.program,
    title: found.title,
    characterName: known(ownField(header, 'character_name')) || nameOf('role'),
    userName: known(ownField(header, 'user_name')) || nameOf('user'),
    header: jsonOf(Object.fromEntries(others)) ?? '{}',
    createdAt: readDate(ownField(header, 'create_date')) ?? messages[0]?.takes[0]?.at ?? now,
    metadata: (isJsonRecord(metadata) && jsonOf(withoutOwn(metadata))) || null,
    messages,
    group: groupIn(records, metadata),
    cardFiles: cardFilesIn(records),
    skipped: skipped.toSorted((one, other) => one.line - other.line),
  }
}

/** Newer files say "unused" where older ones have a name. */
function known(name: unknown): string {
  return typeof name === 'string' && name !== 'unused' ? name : ''
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

function importMessage(record: JsonRecord, newId: () => string, before: number): NewMessage | undefined {
  const shown = readText(ownField(record, 'mes'))
  const [infos, swipeField] = [ownField(record, 'swipe_info'), ownField(record, 'swipes')]
  const swipes = (Array.isArray(swipeField) ? swipeField : []).flatMap((swipe: unknown, index): Swipe[] => {
    const text = readText(swipe)
    return text === undefined ? [] : [{ text, info: Array.isArray(infos) ? infos[index] : undefined }]
  })
  const said = [shown ?? '', ...swipes.map(({ text }) => text)]
  if (said.every((text) => text.trim() === '')) return undefined

  const swipeId = ownField(record, 'swipe_id')
  const wanted = typeof swipeId === 'number' && swipeId in swipes ? swipeId : swipes.length - 1
  // `mes` is what was on the screen: where the named swipe differs, it is kept as a take of its own.
  const isNamed = shown === undefined || swipes[wanted]?.text === shown
  const found = isNamed ? wanted : swipes.findIndex(({ text }) => text === shown)
  const all = found < 0 ? [...swipes, { text: shown ?? '', info: undefined }] : swipes
  const selected = found < 0 ? all.length - 1 : found

  const at = readDate(ownField(record, 'send_date')) ?? before
  const ofShown = Object.fromEntries(Object.entries(record).filter(([key]) => OF_TAKE.has(key)))
  const takes = all.map((swipe, index) => importTake(swipe, index === selected ? ofShown : {}, newId, at))
  const name = ownField(record, 'name')
  const foreign = jsonOf(Object.fromEntries(Object.entries(record).filter(([key]) => !OF_MESSAGE.has(key))))
  return {
    id: newId(),
    speaker: isTrue(ownField(record, 'is_user')) ? 'user' : 'role',
    name: typeof name === 'string' ? name : '',
    key: readKey(ownField(record, 'extra')),
    excluded: isTrue(ownField(record, 'is_system')),
    takes,
    selected,
    ...(foreign !== undefined && { foreign }),
  }
}

/** Some programs write truth as a text or a number. */
function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === 1
}

/** A take, with what is said of it as a swipe and, of the one that is shown, with the message. */
function importTake({ text, info }: Swipe, ofShown: JsonRecord, newId: () => string, before: number): Take {
  const own: JsonRecord = isJsonRecord(info) ? info : {}
  const extra = ownField(own, 'extra') ?? ownField(ofShown, 'extra')
  const at = readDate(ownField(own, 'send_date')) ?? before
  const generation = readGeneration(ourField(extra, 'generation')) ?? null
  const parts = [['message', ofShown] as const, ['swipe', own] as const].flatMap(([where, record]) => {
    const foreign = foreignFacts(record, { at, generation })
    return Object.keys(foreign).length > 0 ? [[where, foreign] as const] : []
  })
  const foreign = jsonOf(Object.fromEntries(parts))
  return { id: newId(), text, at, generation, ...(foreign !== undefined && { foreign }) }
}

/** What of a take's facts is not written anew anyway. */
function foreignFacts(record: JsonRecord, { at, generation }: Pick<Take, 'at' | 'generation'>): JsonRecord {
  const entries = Object.entries(record).flatMap(([key, value]): readonly (readonly [string, unknown])[] => {
    if (key === 'send_date') return value === new Date(at).toISOString() ? [] : [[key, value]]
    if (key !== 'extra' || !isJsonRecord(value)) return [[key, value]]
    const ours = generation ? ['hycora', 'token_count'] : ['hycora']
    const others = Object.entries(value).filter(([name]) => !ours.includes(name))
    return others.length > 0 ? [[key, Object.fromEntries(others)]] : []
  })
  return Object.fromEntries(entries)
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
