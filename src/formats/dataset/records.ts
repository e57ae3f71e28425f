import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import type { DatasetFormat, DatasetOptions, DialogueCollector, RawTurn } from './reading.ts'

/** The first of the keys that the object has a value under. */
export function firstField(record: JsonRecord, keys: readonly string[]): unknown {
  for (const key of keys) {
    const value = ownField(record, key)
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

/** Who speaks in a row: its `role`, `character` or `name`, else whoever the user named. */
export function roleOf(record: JsonRecord, options: DatasetOptions): unknown {
  const named = firstField(record, ['role', 'character', 'name'])
  return typeof named === 'string' && named.trim() !== '' ? named : options.roleName
}

const SPEAKERS: Readonly<Record<string, RawTurn['speaker']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'role',
  gpt: 'role',
  model: 'role',
  bot: 'role',
  role: 'role',
  character: 'role',
}

/** A message's text: a string, or the text parts of a list. */
function contentText(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  const parts = content.map((part: unknown) => (isJsonRecord(part) ? ownField(part, 'text') : part))
  return parts.every((part) => typeof part === 'string') ? parts.join('\n') : undefined
}

/** A turn of any of the shapes `{role, content}`, `{from, value}`, `{speaker, text}`, `[speaker, text]`. */
function readTurn(
  turn: unknown,
): { readonly speaker: unknown; readonly text: unknown; readonly weight?: unknown } | undefined {
  if (Array.isArray(turn)) return { speaker: turn[0], text: turn[1] }
  if (!isJsonRecord(turn)) return undefined
  return {
    speaker: firstField(turn, ['from', 'speaker', 'role']),
    text: contentText(firstField(turn, ['value', 'content', 'text'])),
    weight: ownField(turn, 'weight') ?? undefined,
  }
}

interface Row {
  readonly record: JsonRecord
  readonly line: number
  readonly role: unknown
  readonly into: DialogueCollector
}

/** The list of turns of a row, or a rejection that names the turn. `isNamed`: any speaker but the visitor is the character. */
function readTurns(value: unknown, { line, into }: Row, isNamed: boolean): RawTurn[] | undefined {
  if (!Array.isArray(value)) {
    into.reject(line, 'its turns are not a list')
    return undefined
  }
  const turns: RawTurn[] = []
  for (const [index, entry] of value.entries()) {
    const turn = readTurn(entry)
    const key = typeof turn?.speaker === 'string' ? turn.speaker.toLowerCase() : ''
    const speaker = Object.hasOwn(SPEAKERS, key) ? SPEAKERS[key] : isNamed && key !== '' ? 'role' : undefined
    if (!turn || !speaker) {
      into.reject(line, `its turn ${index + 1} is neither the user’s nor the assistant’s`)
      return undefined
    }
    const { text, weight } = turn
    if (weight !== undefined && weight !== 0 && weight !== 1) {
      into.reject(line, `its turn ${index + 1} has a weight that is neither 0 nor 1`)
      return undefined
    }
    turns.push({ speaker, text, ...(weight === 0 && { isLearnt: false }) })
  }
  return turns
}

function addTurns(key: string, row: Row, { isNamed = false } = {}): void {
  const turns = readTurns(ownField(row.record, key), row, isNamed)
  if (!turns) return
  const named = ownField(row.record, 'item')
  const item = typeof named === 'string' && named.trim() !== '' ? named : undefined
  const facts = { line: row.line, role: row.role, split: ownField(row.record, 'split'), item }
  row.into.add(facts, turns)
  const others = ownField(row.record, 'alt')
  const last = turns.at(-1)
  if (!isNamed || !Array.isArray(others) || last?.speaker !== 'role') return
  // Each further reference is a dialogue of its own.
  for (const text of others) row.into.add(facts, [...turns.slice(0, -1), { speaker: 'role', text }])
}

/** RoleBench as published: a question and one or more replies, each a dialogue of its own. */
function addGenerated({ record, line, role, into }: Row): void {
  const question = ownField(record, 'question')
  const generated = ownField(record, 'generated')
  const replies = Array.isArray(generated) ? generated : [generated]
  if (replies.length === 0) into.reject(line, 'it has no reply of the character')
  for (const text of replies) {
    const turns: RawTurn[] = [
      { speaker: 'user', text: question },
      { speaker: 'role', text },
    ]
    into.add({ line, role, split: ownField(record, 'split') }, turns)
  }
}

const ALPACA_USER = ['instruction', 'prompt', 'question']
const ALPACA_REPLY = ['output', 'response', 'completion', 'answer']

/** Alpaca: an instruction, perhaps with an input and what was said before, and its output. */
function addInstruction({ record, line, role, into }: Row): void {
  const history = ownField(record, 'history')
  const before = (Array.isArray(history) ? history : []).flatMap((pair: unknown): RawTurn[] => {
    const [user, reply] = Array.isArray(pair) ? (pair as unknown[]) : []
    return [
      { speaker: 'user', text: user },
      { speaker: 'role', text: reply },
    ]
  })
  const system = ownField(record, 'system')
  const input = ownField(record, 'input')
  const instruction = firstField(record, ALPACA_USER)
  const hasInput = typeof instruction === 'string' && typeof input === 'string' && input.trim() !== ''
  into.add({ line, role, split: ownField(record, 'split') }, [
    ...(typeof system === 'string' && system !== '' ? [{ speaker: 'system' as const, text: system }] : []),
    ...before,
    { speaker: 'user', text: hasInput ? `${instruction}\n\n${input}` : instruction },
    { speaker: 'role', text: firstField(record, ALPACA_REPLY) },
  ])
}

/**
 * Reads a JSON object as a row of one of the families that are told apart by their keys.
 *
 * @returns the family, or undefined when the row was none of them and has been rejected.
 */
export function addRecord(
  record: JsonRecord,
  line: number,
  options: DatasetOptions,
  into: DialogueCollector,
): DatasetFormat | undefined {
  const row: Row = { record, line, role: roleOf(record, options), into }
  const has = (key: string): boolean => Object.hasOwn(record, key)
  if (has('messages')) {
    addTurns('messages', row)
    return 'messages'
  }
  if (has('conversations') || has('conversation')) {
    addTurns(has('conversations') ? 'conversations' : 'conversation', row)
    return 'sharegpt'
  }
  if (has('turns')) {
    addTurns('turns', row, { isNamed: true })
    return 'rolebench'
  }
  if (has('generated')) {
    addGenerated(row)
    return 'rolebench'
  }
  if (ALPACA_USER.some(has) && ALPACA_REPLY.some(has)) {
    addInstruction(row)
    return 'alpaca'
  }
  into.reject(line, 'it has none of messages, conversations, instruction and output, question and generated')
  return undefined
}
