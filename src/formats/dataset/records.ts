import { isJsonRecord } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import { Fields } from './fields.ts'
import type { LogRows } from './logRows.ts'
import type { DatasetFormat, DatasetOptions, DialogueCollector, RawTurn } from './reading.ts'
import { addScenes } from './scenes.ts'
import type { SceneLine } from './scenes.ts'
import { scriptLines } from './script.ts'
import { flagOf, holdsTurns, isLog, isTurn, readTurns } from './turns.ts'
import { isRowNumber, keptName, tagOf } from './words.ts'

/** Where the turns of a row stand, and the family that names them so. */
const TURNS: ReadonlyMap<string, DatasetFormat> = new Map([
  ['messages', 'messages'],
  ['conversations', 'sharegpt'],
  ['conversation', 'sharegpt'],
  ['turns', 'rolebench'],
  ['dialogue', 'messages'],
  ['dialog', 'messages'],
  ['chat', 'messages'],
  ['conversation_history', 'messages'],
  ['utterances', 'messages'],
  ['transcript', 'messages'],
  ['text', 'messages'],
])
/** What belongs to a question beside it. */
const BESIDE = ['input', 'context']
const ASKED = (
  'instruction prompt question user query visitor human message user_message user_input ' +
  'request q input context'
).split(' ')
const REPLIES = (
  'output response reply answer completion assistant chosen bot target gpt assistant_message ' +
  'bot_message model npc a line text'
).split(' ')
const CHARACTERS = 'character role char character_name char_name bot_name persona speaker name'.split(' ')
/** What marks a whole row as not for learning where it is false: among it an answer that was not liked. */
const MARKS = ['train', 'learn', 'label', 'kto_tag', 'loss']
/** A longer text under `persona` says what somebody is like, not who it is. */
const LONGEST_PERSONA = 80

/** A row of a file before it is read. */
export interface Row {
  readonly fields: Fields
  readonly line: number
  /** The side that the list or the file around it names. */
  readonly split?: string | undefined
  /** Whether it is a list of turns and nothing else, which may be a long chat. */
  readonly isList?: boolean
}

/** Where rows go: dialogues at once, lines of a log when all are there. */
export interface Sinks {
  readonly into: DialogueCollector
  readonly logs: LogRows
  readonly options: DatasetOptions
  readonly fileName: string
}

/** Who a row says speaks; a number of the row is nobody's name where the options have one. */
export function ownRole(
  fields: Fields,
  { options, into }: Pick<Sinks, 'options' | 'into'>,
): string | undefined {
  for (const key of CHARACTERS) {
    const value = fields.peek(key)
    const isTag =
      typeof value === 'string' && (key === 'role' || key === 'speaker') && tagOf(value) !== undefined
    if (typeof value !== 'string' || value.trim() === '' || isTag) continue
    if (key === 'persona' && value.length > LONGEST_PERSONA) continue
    fields.get(key)
    const name = keptName(value)
    if (key !== 'name' || options.roleName === undefined || !isRowNumber(name)) return name
    into.number(name, options.roleName)
  }
  return undefined
}

/** A list of turns, or JSON in a cell that is one; undefined for anything else. */
function listIn(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string' || !/^\s*\[/.test(value)) return undefined
  try {
    const list: unknown = JSON.parse(value)
    return Array.isArray(list) ? list : undefined
  } catch {
    return undefined
  }
}

/** The key of a row that holds its turns as a list. */
function turnsKey(fields: Fields): string | undefined {
  return [...TURNS.keys()].find((key) => {
    const list = listIn(fields.peek(key))
    // The text of one message may be a list too, of its parts.
    return list !== undefined && key !== 'text' && !list.some(isLog)
  })
}

/** The keys of a question and its answer. */
function exchangeKeys(fields: Fields): { readonly asked: string; readonly reply: string } | undefined {
  // Who sent a message at a time is nobody who asks.
  const asked = fields.find(ASKED.filter((key) => key !== 'user' || !fields.has('ts')))
  const reply = fields.find(REPLIES.filter((key) => key !== asked))
  return asked === undefined || reply === undefined ? undefined : { asked, reply }
}

/** What a row is by its keys; null where that is not known. */
export function kindOf(fields: Fields): 'turns' | 'generated' | 'exchange' | 'line' | 'script' | null {
  if (turnsKey(fields) !== undefined) return 'turns'
  if (fields.has('generated')) return 'generated'
  if (exchangeKeys(fields)) return 'exchange'
  if (isTurn(fields)) return 'line'
  return fields.has(...TURNS.keys()) ? 'script' : null
}

/** Whether an object is a row rather than something that holds rows. */
export function isRow(record: JsonRecord): boolean {
  const fields = new Fields(record)
  const kind = kindOf(fields)
  const { asked = '', reply = '' } = (kind === 'exchange' && exchangeKeys(fields)) || {}
  const list = listIn(fields.peek(turnsKey(fields) ?? ''))
  if (kind === 'turns') return list !== undefined && holdsTurns(list)
  if (kind === 'script') return [...TURNS.keys()].some((key) => typeof fields.peek(key) === 'string')
  return kind !== null && [asked, reply].every((key) => isOne(fields.peek(key)))
}

/** Whether a value is one row's, not a column of several. */
function isOne(value: unknown): boolean {
  return Array.isArray(value) ? isJsonRecord(value[0]) && holdsTurns(value) : !isJsonRecord(value)
}

/** Whether a row as a whole is marked as not to be learnt. */
function isUnlearnt(fields: Fields): boolean {
  const marks = MARKS.filter((key) => /^(?:true|false)$/i.test(String(fields.peek(key))))
  const isFalse = marks.some((key) => String(fields.get(key)).toLowerCase() === 'false')
  return isFalse || (flagOf(fields.peek('weight')) !== undefined && flagOf(fields.get('weight')) === false)
}

/**
 * Reads a row as one of the families that are told apart by their keys.
 *
 * @returns the family, or undefined when the row was none of them and has been rejected.
 */
export function addRecord(row: Row, sinks: Sinks): DatasetFormat | undefined {
  const { fields, line } = row
  const kind = kindOf(fields)
  if (kind !== 'line' && isUnlearnt(fields)) {
    sinks.into.reject(line, 'it is marked as not to be learnt')
    return undefined
  }
  const { rejected } = sinks.into
  const before = rejected.length
  const family = addKind(kind, row, sinks)
  if (rejected.length === before) sinks.into.leave(fields.left())
  return family
}

function addKind(kind: ReturnType<typeof kindOf>, row: Row, sinks: Sinks): DatasetFormat | undefined {
  switch (kind) {
    case 'turns':
      return addTurns(turnsKey(row.fields) ?? '', row, sinks)
    case 'generated':
      return addGenerated(row, sinks)
    case 'exchange':
      return addExchange(row, sinks)
    case 'line':
      return sinks.logs.take(row.fields, row.line, splitIn(row))
    case 'script':
      return addText(row, sinks)
    case null:
      sinks.into.reject(
        row.line,
        'it has none of messages, conversations, instruction and output, question and generated',
      )
      return undefined
  }
}

function splitIn({ fields, split }: Row): unknown {
  return fields.get('split') ?? split
}

function itemOf(fields: Fields): string | undefined {
  const named = fields.get('item')
  return typeof named === 'string' && named.trim() !== '' ? named : undefined
}

/** System texts beside the turns, as system turns: they belong to the role, and are counted. */
function systemLines({ fields, line }: Row): readonly SceneLine[] {
  const text = fields.first(['system', 'system_prompt'])
  return typeof text === 'string' && text.trim() !== '' ? [{ by: 'system', name: '', text, line }] : []
}

function addTurns(key: string, row: Row, sinks: Sinks): DatasetFormat | undefined {
  const { fields, line } = row
  const lines = readTurns(listIn(fields.get(key)) ?? [], line)
  if (typeof lines === 'string') sinks.into.reject(line, lines)
  else if (lines.length === 0) sinks.into.reject(line, 'it has no turn')
  else {
    const facts = { split: splitIn(row), item: itemOf(fields) }
    addLines([...systemLines(row), ...lines], facts, row, sinks)
    const others = fields.get('alt')
    const last = lines.at(-1)
    // Each further reference is a dialogue of its own.
    if (key === 'turns' && Array.isArray(others) && last && last.by !== 'visitor')
      for (const text of others as readonly unknown[])
        addLines([...lines.slice(0, -1), { ...last, text }], facts, row, sinks)
  }
  return TURNS.get(key)
}

/** The lines of a row: whoever is not the visitor is the row's character, unless several speak, who are told by name. */
function addLines(
  lines: readonly SceneLine[],
  facts: { readonly split: unknown; readonly item?: string | undefined },
  { fields, line, isList = false }: Row,
  sinks: Sinks,
): void {
  const { into, options, fileName } = sinks
  const own = ownRole(fields, sinks)
  const named = lines.filter(({ by, isOwn }) => by === 'named' && !isOwn)
  const names = [...new Set(named.map(({ name }) => name))]
  const isForeign = own !== undefined && names.length > 0 && names.every((name) => name !== own)
  if (isForeign && names.length > 1) {
    into.reject(line, `it is ${own}’s, but ${names.join(' and ')} speak`)
    return
  }
  const mine = isForeign
    ? lines.map((one): SceneLine =>
        one.by === 'named' && !one.isOwn ? { ...one, by: 'character', name: '' } : one,
      )
    : lines
  addScenes([{ lines: mine, ...facts }], own ?? options.roleName, fileName, into, !isList)
}

/** RoleBench as published: a question and one or more replies, each a dialogue of its own. */
function addGenerated(row: Row, sinks: Sinks): DatasetFormat {
  const { fields, line } = row
  const [question, generated] = [fields.get('question'), fields.get('generated')]
  const replies: readonly unknown[] = Array.isArray(generated) ? generated : [generated]
  if (replies.length === 0) sinks.into.reject(line, 'it has no reply of the character')
  const facts = { line, role: ownRole(fields, sinks) ?? sinks.options.roleName, split: splitIn(row) }
  for (const text of replies) {
    const turns: readonly RawTurn[] = [
      { speaker: 'user', text: question },
      { speaker: 'role', text },
    ]
    sinks.into.add(facts, turns)
  }
  return 'rolebench'
}

/** What was said before, as pairs of question and answer or as turns. */
function historyOf(fields: Fields, line: number): readonly SceneLine[] | string {
  const history = fields.get('history')
  if (!Array.isArray(history)) return []
  const isPairs = history.every(
    (pair) => Array.isArray(pair) && pair.every((text) => typeof text === 'string'),
  )
  return readTurns(isPairs ? history.flat() : history, line)
}

/** A question and its answer, each a text or, for preferences, a list of turns; with what stands beside and before them. */
function addExchange(row: Row, sinks: Sinks): DatasetFormat {
  const { fields, line } = row
  const { asked, reply } = exchangeKeys(fields) ?? { asked: '', reply: '' }
  const [question, answer] = [fields.get(asked), fields.get(reply)]
  const beside = BESIDE.filter((key) => key !== asked && key !== reply).map((key) => fields.get(key))
  const texts = [question, ...beside].filter((text) => typeof text === 'string' && text.trim() !== '')
  const isAsked = typeof question === 'string' && question.trim() !== ''
  const before = historyOf(fields, line)
  const askedLines = Array.isArray(question)
    ? readTurns(question, line)
    : [{ by: 'visitor' as const, name: '', text: isAsked ? texts.join('\n\n') : question, line }]
  const replyLines = Array.isArray(answer)
    ? readTurns(answer, line)
    : [{ by: 'character' as const, name: '', text: answer, line }]
  const parts = [before, askedLines, replyLines]
  const fault = parts.find((part) => typeof part === 'string')
  if (typeof fault === 'string') sinks.into.reject(line, fault)
  else {
    // The conversational form of preferences has the question in the answer's list too.
    const isRepeated = Array.isArray(question) && Array.isArray(answer) && beginsWith(answer, question)
    const own = isRepeated ? [before, replyLines] : parts
    const lines = own.flatMap((part) => (typeof part === 'string' ? [] : part))
    addLines([...systemLines(row), ...lines], { split: splitIn(row), item: itemOf(fields) }, row, sinks)
  }
  return 'alpaca'
}

function beginsWith(list: readonly unknown[], start: readonly unknown[]): boolean {
  return JSON.stringify(list.slice(0, start.length)) === JSON.stringify(start)
}

/** Turns in one text, as "Name: line". */
function addText(row: Row, sinks: Sinks): DatasetFormat | undefined {
  const { fields, line } = row
  const key = fields.find([...TURNS.keys()]) ?? ''
  const text = fields.get(key)
  const isPython = typeof text === 'string' && /^\s*\[\s*(?:\{\s*'|array\()/.test(text)
  const lines = typeof text === 'string' && !isPython ? scriptLines(text, line) : null
  if (lines) {
    addLines(lines, { split: splitIn(row) }, row, sinks)
    return TURNS.get(key)
  }
  sinks.into.reject(
    line,
    isPython
      ? `its ${key} are written by Python’s str(), not as JSON: save them with json.dumps()`
      : `its ${key} is neither a list of turns nor "Name: line" text`,
  )
  return undefined
}
