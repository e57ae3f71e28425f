import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { containerSpan } from './dataset/jsonText.ts'

/** A line of a chat as SillyTavern writes it: its header, or a message. */
export interface ChatRow {
  /** Where it stands in the file, counted from 1. */
  readonly line: number
  readonly record: JsonRecord
}

/** The lines of a chat, from whichever program; others than SillyTavern's are brought into its form. */
export interface ChatRows {
  /** Whose form it has. */
  readonly program: string
  readonly rows: readonly ChatRow[]
  /** Lines that could not be used. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[]
  /** What is left out, in sentences. */
  readonly notes: readonly string[]
}

/** Lines that are looked at before a text is known to be no chat: a broken header is not all. */
const LOOK_LINES = 8

/** Whether a JSON object is the header of a SillyTavern chat. */
export function isChatHeader(record: JsonRecord): boolean {
  const keys = ['chat_metadata', 'user_name', 'character_name']
  return !Object.hasOwn(record, 'mes') && keys.some((key) => Object.hasOwn(record, key))
}

/** Whether a JSON object is a message of a SillyTavern chat. */
export function isChatMessage(record: JsonRecord): boolean {
  return Object.hasOwn(record, 'mes') && (Object.hasOwn(record, 'is_user') || Object.hasOwn(record, 'name'))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether a text is a chat, by its beginning and, where it is one JSON value, by its keys. */
export function isChatText(text: string): boolean {
  let looked = 0
  for (const row of linesOf(text)) {
    if ('record' in row && (isChatHeader(row.record) || isChatMessage(row.record))) return true
    if (++looked >= LOOK_LINES) break
  }
  return isChatJson(parsed(text))
}

type Line = ChatRow | { readonly line: number; readonly reason: string }

/** The objects of a text, one a line or each over several, and lines that are none. */
function* linesOf(text: string): Generator<Line> {
  let line = 1
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at)
    let end = newline < 0 ? text.length : newline
    const words = text.slice(at, end)
    let record = parsed(words)
    const open = at + words.search(/\S|$/)
    if (!isJsonRecord(record) && text.charAt(open) === '{') {
      const span = containerSpan(text, open)
      record = span.fault === undefined ? parsed(text.slice(open, span.end)) : undefined
      if (isJsonRecord(record)) end = span.end
    }
    if (isJsonRecord(record)) yield { line, record }
    else if (words.trim() !== '') yield { line, reason: 'it is not a JSON object' }
    for (let next = text.indexOf('\n', at); next >= 0 && next < end; next = text.indexOf('\n', next + 1))
      line++
    if (text.charAt(end) === '\n') line++
    at = text.charAt(end) === '\n' ? end + 1 : Math.max(end, at + 1)
  }
}

/** Whether one JSON value is a whole chat: a list of SillyTavern's lines, or another program's. */
export function isChatJson(value: unknown): boolean {
  return chatOfJson(value) !== null
}

/** The lines of a chat; null for a text that is none. */
export function readChatRows(written: string): ChatRows | null {
  const text = written.replace(/^\uFEFF/, '')
  const whole = chatOfJson(parsed(text))
  if (whole) return { skipped: [], notes: [], ...whole }
  const lines = [...linesOf(text)]
  const rows = lines.filter((one) => 'record' in one)
  const skipped = lines.filter((one) => 'reason' in one)
  const isChat = rows.some(({ record }) => isChatHeader(record) || Object.hasOwn(record, 'mes'))
  return isChat ? { program: 'SillyTavern', rows, skipped, notes: [] } : null
}

type WholeChat = Pick<ChatRows, 'program' | 'rows'> & Partial<ChatRows>

/** A chat that is one JSON value; null where it is none. */
function chatOfJson(value: unknown): WholeChat | null {
  if (Array.isArray(value)) {
    const records = value.filter(isJsonRecord)
    const isChat = records.some(isChatMessage)
    return isChat ? { program: 'SillyTavern', rows: rowsOf(records) } : null
  }
  if (!isJsonRecord(value)) return null
  for (const read of READERS) {
    const found = read(value)
    if (found) return found
  }
  return null
}

function rowsOf(records: readonly JsonRecord[]): readonly ChatRow[] {
  return records.map((record, index) => ({ line: index + 1, record }))
}

/** A message in SillyTavern's form; what else its program says of it stands in `extra`, under that program's name. */
function message(
  program: string,
  { name, text, isUser }: { readonly name: string; readonly text: string; readonly isUser: boolean },
  {
    record = {},
    used = [],
    at,
  }: { readonly record?: JsonRecord; readonly used?: readonly string[]; readonly at?: unknown } = {},
): JsonRecord {
  const others = Object.entries(record).filter(([key]) => !used.includes(key) && key !== '__proto__')
  return {
    name,
    is_user: isUser,
    mes: text,
    ...(at !== undefined && at !== null && { send_date: at }),
    ...(others.length > 0 && { extra: { [program]: Object.fromEntries(others) } }),
  }
}

function header(user: string, character: string): JsonRecord {
  return { user_name: user, character_name: character }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function listOf(record: JsonRecord, key: string): readonly unknown[] {
  const value = ownField(record, key)
  return Array.isArray(value) ? value : []
}

/** A name where a program gives none. */
const NAMELESS = { user: 'You', character: 'Character' }

/** SillyTavern's lines under a key, or a single one. */
function sillyTavern(value: JsonRecord): WholeChat | null {
  if (isChatMessage(value)) return { program: 'SillyTavern', rows: rowsOf([value]) }
  const lines = listOf(value, 'chat').filter(isJsonRecord)
  return lines.some(isChatMessage) ? { program: 'SillyTavern', rows: rowsOf(lines) } : null
}

/** Text generation web UI: pairs of what was said and answered, as the model had them and as the page showed them. */
function webUi(value: JsonRecord): WholeChat | null {
  const pairs = listOf(value, Object.hasOwn(value, 'internal') ? 'internal' : 'data')
  const isOwn = Object.hasOwn(value, 'visible') || Object.hasOwn(value, 'data_visible')
  if (!isOwn || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2)) return null
  const records = pairs.flatMap((pair): readonly JsonRecord[] => {
    const [asked, answered] = (Array.isArray(pair) ? pair : []).map(textOf)
    const said = [
      { name: NAMELESS.user, text: asked ?? '', isUser: true },
      { name: NAMELESS.character, text: answered ?? '', isUser: false },
    ]
    return said
      .filter(({ text }) => text.trim() !== '' && text !== '<|BEGIN-VISIBLE-CHAT|>')
      .map((one) => message('webui', one))
  })
  return { program: 'text generation web UI', rows: rowsOf(records) }
}

/** Agnai: messages by handle, the visitor's with the id of a user. */
function agnai(value: JsonRecord): WholeChat | null {
  const messages = listOf(value, 'messages').filter(isJsonRecord)
  if (!messages.some((one) => Object.hasOwn(one, 'msg'))) return null
  const records = messages.map((one) => {
    const isUser =
      !ownField(one, 'characterId') && (Boolean(ownField(one, 'userId')) || ownField(one, 'isUser') === true)
    const name = textOf(ownField(one, 'handle')) ?? (isUser ? NAMELESS.user : NAMELESS.character)
    const text = textOf(ownField(one, 'msg')) ?? ''
    const used = ['handle', 'msg', 'userId', 'characterId', 'createdAt']
    return message('agnai', { name, text, isUser }, { record: one, used, at: ownField(one, 'createdAt') })
  })
  return { program: 'Agnai', rows: rowsOf(records) }
}

/** RisuAI: `risuChat`, a list of them, or the chat itself. */
function risu(value: JsonRecord): WholeChat | null {
  const type = ownField(value, 'type')
  const data = ownField(value, 'data')
  const chats = (Array.isArray(data) ? data : isJsonRecord(data) ? [data] : [value]).filter(isJsonRecord)
  const held = chats.map((chat) => ({ chat, lines: listOf(chat, 'message').filter(isJsonRecord) }))
  const longest = held.toSorted((one, other) => other.lines.length - one.lines.length)[0]
  const isRisu = type === 'risuChat' || type === 'risuAllChats'
  const isBare =
    longest?.lines.some((line) => Object.hasOwn(line, 'role') && Object.hasOwn(line, 'data')) ?? false
  if (!longest || !(isRisu || isBare)) return null
  const records = longest.lines.map((line) => {
    const isUser = ownField(line, 'role') === 'user'
    const name = textOf(ownField(line, 'name')) ?? (isUser ? NAMELESS.user : NAMELESS.character)
    const text = textOf(ownField(line, 'data')) ?? ''
    const used = ['role', 'data', 'name', 'time']
    return message('risu', { name, text, isUser }, { record: line, used, at: ownField(line, 'time') })
  })
  return { program: 'RisuAI', rows: rowsOf(records), notes: notesOf(held.length) }
}

function notesOf(chats: number): readonly string[] {
  return chats > 1 ? [`The file holds ${chats} chats; the longest of them came in.`] : []
}

/** character.ai, as its dumps have it: conversations of messages with their source. */
function characterAi(value: JsonRecord): WholeChat | null {
  const outer = ownField(value, 'histories')
  const histories = Array.isArray(outer) ? outer : isJsonRecord(outer) ? listOf(outer, 'histories') : []
  const held = histories.filter(isJsonRecord).map((history) => listOf(history, 'msgs').filter(isJsonRecord))
  const longest = held.toSorted((one, other) => other.length - one.length)[0]
  if (!longest || longest.length === 0) return null
  const records = longest.map((line) => {
    const source = ownField(line, 'src')
    const speaker: JsonRecord = isJsonRecord(source) ? source : {}
    const isUser = ownField(speaker, 'is_human') === true
    const name = textOf(ownField(speaker, 'name')) ?? (isUser ? NAMELESS.user : NAMELESS.character)
    const text = textOf(ownField(line, 'text')) ?? ''
    return message(
      'character.ai',
      { name, text, isUser },
      { record: line, used: ['src', 'text', 'created'], at: ownField(line, 'created') },
    )
  })
  return { program: 'character.ai', rows: rowsOf(records), notes: notesOf(held.length) }
}

/** KoboldAI: one story in pieces, in which people speak as "Name: line" or behind the marks of instructions. */
function kobold(value: JsonRecord): WholeChat | null {
  if (!Array.isArray(ownField(value, 'actions')) || !Object.hasOwn(value, 'gamestarted')) return null
  const pieces = [ownField(value, 'prompt'), ...listOf(value, 'actions')].map((piece) => textOf(piece) ?? '')
  const story = pieces.join('').replaceAll(/\r\n?/g, '\n')
  const saved = ownField(value, 'savedsettings')
  const settings: JsonRecord = isJsonRecord(saved) ? saved : {}
  const user = textOf(ownField(settings, 'chatname')) || NAMELESS.user
  const others = (textOf(ownField(settings, 'chatopponent')) ?? '')
    .split('||$||')
    .filter((name) => name !== '')
  const records = instructed(story, user, others[0] ?? NAMELESS.character) ?? spoken(story, user, others)
  const rows = rowsOf([header(user, others[0] ?? ''), ...records])
  return { program: 'KoboldAI', rows: records.length > 0 ? rows : [] }
}

const INSTRUCTIONS = /(\{\{\[INPUT\]\}\}|\{\{\[OUTPUT\]\}\}|\n?### (?:Instruction|Response):\n?)/

function instructed(story: string, user: string, character: string): readonly JsonRecord[] | null {
  const parts = story.split(INSTRUCTIONS)
  if (parts.length < 3) return null
  const records: JsonRecord[] = []
  for (const [index, part] of parts.entries()) {
    const mark = parts[index - 1] ?? ''
    const isUser = /INPUT|Instruction/.test(mark)
    const text = part.trim()
    if (index % 2 === 0 && text !== '' && index > 0) {
      records.push(message('kobold', { name: isUser ? user : character, text, isUser }))
    }
  }
  return records
}

/** Lines that begin with a name: those that the save names, else those that come up more than once. */
function spoken(story: string, user: string, others: readonly string[]): readonly JsonRecord[] {
  const named = /^([^\s:][^:\n]{0,39}):\s/
  const counts = new Map<string, number>()
  for (const line of story.split('\n')) {
    const name = named.exec(line)?.[1]
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const known = new Set([user, ...others])
  const repeated = [...counts].filter(([, count]) => count > 1).map(([name]) => name)
  const speakers = others.length > 0 ? known : new Set([user, ...repeated])
  const records: { readonly name: string; text: string }[] = []
  for (const line of story.split('\n')) {
    const name = named.exec(line)?.[1]
    const last = records.at(-1)
    if (name !== undefined && speakers.has(name))
      records.push({ name, text: line.slice(name.length + 1).trim() })
    else if (last) last.text = `${last.text}\n${line}`
  }
  return records.map(({ name, text }) =>
    message('kobold', { name, text: text.trim(), isUser: name === user }),
  )
}

const READERS: readonly ((value: JsonRecord) => WholeChat | null)[] = [
  sillyTavern,
  webUi,
  agnai,
  characterAi,
  kobold,
  risu,
]
