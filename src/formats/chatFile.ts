import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { doubleBraces } from './otherCharacters.ts'
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
  /** What the chat is called there; null where it has no name. */
  readonly title: string | null
  readonly rows: readonly ChatRow[]
  /** Lines that could not be used. */
  readonly skipped: readonly { readonly line: number; readonly reason: string }[]
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
  return chatsOfJson(value) !== null
}

/** The chats of a text, most of which hold one; null for a text that is none. */
export function readChatRows(written: string): readonly ChatRows[] | null {
  const text = written.replace(/^\uFEFF/, '')
  const whole = chatsOfJson(parsed(text))
  if (whole)
    return whole.chats.map(({ title = null, rows }) => ({ program: whole.program, title, rows, skipped: [] }))
  const lines = [...linesOf(text)]
  const rows = lines.filter((one) => 'record' in one)
  const skipped = lines.filter((one) => 'reason' in one)
  const isChat = rows.some(({ record }) => isChatHeader(record) || Object.hasOwn(record, 'mes'))
  return isChat ? [{ program: 'SillyTavern', title: null, rows, skipped }] : null
}

/** The chats of one program in one JSON value. */
interface WholeChats {
  readonly program: string
  readonly chats: readonly { readonly title?: string | null; readonly rows: readonly ChatRow[] }[]
}

function oneChat(program: string, records: readonly JsonRecord[]): WholeChats {
  return { program, chats: [{ rows: rowsOf(records) }] }
}

/** Chats in one JSON value; null where it holds none. */
function chatsOfJson(value: unknown): WholeChats | null {
  if (Array.isArray(value)) {
    const records = value.filter(isJsonRecord)
    return records.some(isChatMessage) ? oneChat('SillyTavern', records) : null
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
function sillyTavern(value: JsonRecord): WholeChats | null {
  if (isChatMessage(value)) return oneChat('SillyTavern', [value])
  const lines = listOf(value, 'chat').filter(isJsonRecord)
  return lines.some(isChatMessage) ? oneChat('SillyTavern', lines) : null
}

/** Text generation web UI: pairs of what was said and answered, as the model had them and as the page showed them. */
function webUi(value: JsonRecord): WholeChats | null {
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
  return oneChat('text generation web UI', records)
}

/** Agnai: messages by handle, the visitor's with the id of a user. */
function agnai(value: JsonRecord): WholeChats | null {
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
  return oneChat('Agnai', records)
}

/** RisuAI: `risuChat`, a list of them, or the chat itself. */
function risu(value: JsonRecord): WholeChats | null {
  const type = ownField(value, 'type')
  const data = ownField(value, 'data')
  const chats = (Array.isArray(data) ? data : isJsonRecord(data) ? [data] : [value]).filter(isJsonRecord)
  const held = chats.map((chat) => ({ chat, lines: listOf(chat, 'message').filter(isJsonRecord) }))
  const isRisu = type === 'risuChat' || type === 'risuAllChats'
  const isBare = held.some(({ lines }) =>
    lines.some((line) => Object.hasOwn(line, 'role') && Object.hasOwn(line, 'data')),
  )
  if (!isRisu && !isBare) return null
  return {
    program: 'RisuAI',
    chats: held.map(({ chat, lines }) => ({
      title: textOf(ownField(chat, 'name')),
      rows: rowsOf(lines.map(risuLine)),
    })),
  }
}

function risuLine(line: JsonRecord): JsonRecord {
  const isUser = ownField(line, 'role') === 'user'
  const name = textOf(ownField(line, 'name')) ?? (isUser ? NAMELESS.user : NAMELESS.character)
  const text = textOf(ownField(line, 'data')) ?? ''
  const used = ['role', 'data', 'name', 'time']
  return message('risu', { name, text, isUser }, { record: line, used, at: ownField(line, 'time') })
}

/** character.ai, as its dumps have it: conversations of messages with their source. */
function characterAi(value: JsonRecord): WholeChats | null {
  const outer = ownField(value, 'histories')
  const histories = Array.isArray(outer) ? outer : isJsonRecord(outer) ? listOf(outer, 'histories') : []
  const held = histories.filter(isJsonRecord).map((history) => listOf(history, 'msgs').filter(isJsonRecord))
  const said = held.filter((lines) => lines.length > 0)
  if (said.length === 0) return null
  return {
    program: 'character.ai',
    chats: said.map((lines) => ({ rows: rowsOf(lines.map(characterAiLine)) })),
  }
}

function characterAiLine(line: JsonRecord): JsonRecord {
  const source = ownField(line, 'src')
  const speaker: JsonRecord = isJsonRecord(source) ? source : {}
  const isUser = ownField(speaker, 'is_human') === true
  const name = textOf(ownField(speaker, 'name')) ?? (isUser ? NAMELESS.user : NAMELESS.character)
  const text = textOf(ownField(line, 'text')) ?? ''
  const used = ['src', 'text', 'created']
  return message(
    'character.ai',
    { name, text, isUser },
    { record: line, used, at: ownField(line, 'created') },
  )
}

/** KoboldAI: one story in pieces, in which people speak as "Name: line" or behind the marks of instructions. */
function kobold(value: JsonRecord): WholeChats | null {
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
  const lines = [header(user, others[0] ?? ''), ...records]
  return oneChat('KoboldAI', records.length > 0 ? lines : [])
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

/** Backyard: a character and the scenarios that it played in, as its archive has them, or one scenario. */
function backyard(value: JsonRecord): WholeChats | null {
  const character = ownField(value, 'character')
  const owner = isJsonRecord(character) ? character : value
  const name = [ownField(owner, 'displayName'), ownField(owner, 'name')].map(textOf).find((found) => found)
  const scenarios = Object.hasOwn(value, 'scenarios') ? listOf(value, 'scenarios') : [value]
  const said = scenarios.filter(isJsonRecord).filter((scenario) => linesIn(scenario).length > 0)
  if (said.length === 0) return null
  return {
    program: 'Backyard',
    chats: said.map((scenario) => ({
      title: textOf(ownField(scenario, 'title')),
      rows: rowsOf(backyardLines(scenario, name ?? NAMELESS.character)),
    })),
  }
}

function linesIn(scenario: JsonRecord): readonly JsonRecord[] {
  return listOf(scenario, 'messages')
    .filter(isJsonRecord)
    .filter((line) => ownField(line, 'type') === 'human' || Array.isArray(ownField(line, 'outputs')))
}

/** The greeting stands beside the messages. */
function backyardLines(scenario: JsonRecord, name: string): readonly JsonRecord[] {
  const lines = linesIn(scenario).map((line) => backyardLine(line, name))
  const [first] = listOf(scenario, 'firstMessages').filter(isJsonRecord)
  const greeting = doubleBraces(textOf(first && ownField(first, 'text')) ?? '')
  const at = lines[0] && ownField(lines[0], 'send_date')
  const isSaid = greeting.trim() === '' || lines[0]?.['mes'] === greeting
  return isSaid ? lines : [message('backyard', { name, text: greeting, isUser: false }, { at }), ...lines]
}

/** What was answered has several wordings, of which the one that was chosen last is shown. */
function backyardLine(line: JsonRecord, name: string): JsonRecord {
  if (ownField(line, 'type') === 'human') {
    const said = { name: NAMELESS.user, text: textOf(ownField(line, 'text')) ?? '', isUser: true }
    const used = ['type', 'text', 'createdAt', 'updatedAt']
    return message('backyard', said, { record: line, used, at: ownField(line, 'createdAt') })
  }
  const outputs = listOf(line, 'outputs').filter(isJsonRecord)
  const times = outputs.map((output) => momentOf(ownField(output, 'activeTimestamp')))
  const chosen = times.reduce((best, time, index) => (time > (times[best] ?? 0) ? index : best), 0)
  const swipes = outputs.map((output) => doubleBraces(textOf(ownField(output, 'text')) ?? ''))
  const said = { name, text: swipes[chosen] ?? '', isUser: false }
  const at = outputs[chosen] && ownField(outputs[chosen], 'createdAt')
  const found = message('backyard', said, { record: line, used: ['type', 'outputs'], at })
  return swipes.length > 1 ? { ...found, swipes, swipe_id: chosen } : found
}

/** Milliseconds since 1970, or another number that grows; the least of all where there is none. */
function momentOf(value: unknown): number {
  if (typeof value === 'number') return value
  const text = textOf(value) ?? ''
  const time = /^\d+$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(time) ? -Infinity : time
}

const READERS: readonly ((value: JsonRecord) => WholeChats | null)[] = [
  sillyTavern,
  webUi,
  agnai,
  characterAi,
  kobold,
  risu,
  backyard,
]
