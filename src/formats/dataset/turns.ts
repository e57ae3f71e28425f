import { isJsonRecord } from '../../core/json.ts'
import { Fields } from './fields.ts'
import type { SceneLine } from './scenes.ts'
import { keptName, tagOf } from './words.ts'
import type { Tag } from './words.ts'

/** Keys of the tag that says whose a turn is, and of who speaks where that is somebody by name. */
const TAGGED = ['from', 'role', 'speaker', 'author', 'sender', 'user', 'who', 'character', 'name']
const NAMED = [
  'speaker',
  'character',
  'from',
  'sender',
  'sender_name',
  'author',
  'who',
  'name',
  'user',
  'role',
]
const SAID = [
  'value',
  'content',
  'text',
  'message',
  'utterance',
  'line',
  'body',
  'msg',
  'dialogue',
  'says',
  'quote',
]
/** What says of a turn that it is learnt; `mask` says the contrary. */
const FLAGS = ['weight', 'train', 'training', 'trainable', 'learn', 'loss', 'loss_mask', 'train_on_turn']
const MASKS = ['mask', 'masked']
const PARTS = ['train_detail', 'training_detail']

/** A message's text: a string, or the text parts of a list, which are words of one line where some stand there bare. */
export function contentText(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  const parts = content.map((part: unknown) => (isJsonRecord(part) ? new Fields(part).peek('text') : part))
  const isInline = content.some((part) => typeof part === 'string')
  return parts.every((part) => typeof part === 'string') ? parts.join(isInline ? '' : '\n') : undefined
}

/** Who speaks: a word, or an object with a name, as exporters of chats have it. */
function speakerText(value: unknown): string | undefined {
  const name = isJsonRecord(value) ? new Fields(value).first(['name', 'real_name', 'username']) : value
  return typeof name === 'string' && name.trim() !== '' ? name : undefined
}

/** Speaker and text of a turn `{role, content}`, `{from, value}`, `{speaker, text}`, `[speaker, text]`. */
export function turnFields(turn: unknown): Fields | undefined {
  if (isJsonRecord(turn)) return new Fields(turn)
  if (!Array.isArray(turn) || turn.length !== 2 || typeof turn[0] !== 'string') return undefined
  return new Fields([
    ['speaker', turn[0]],
    ['text', turn[1]],
  ])
}

/** Whose a turn is: a side, and a name where there is one. */
function speakerOf(fields: Fields): { readonly tag: Tag | undefined; readonly name: string } | undefined {
  const texts = (keys: readonly string[]) => keys.map((key) => speakerText(fields.peek(key)))
  const tag = texts(TAGGED).find((text) => text !== undefined && tagOf(text) !== undefined)
  const name = texts(NAMED).find((text) => text !== undefined && tagOf(text) === undefined)
  if (tag === undefined && name === undefined) return undefined
  return { tag: tag === undefined ? undefined : tagOf(tag), name: name === undefined ? '' : keptName(name) }
}

/** Whether fields are those of a turn: somebody speaks, and there is what they say. */
export function isTurn(fields: Fields): boolean {
  return speakerOf(fields) !== undefined && fields.has(...SAID)
}

/** Whether a turn is out of the log of a chat between people rather than written for a model. */
export function isLogged(fields: Fields): boolean {
  if (speakerOf(fields)?.tag !== undefined) return false
  return fields.has(
    'sender_name',
    'author',
    'from_id',
    'ts',
    'timestamp',
    'timestamp_ms',
    'date',
    'send_date',
  )
}

/** 1 or 0, true or false, also as text; undefined for anything else. */
export function flagOf(value: unknown): boolean | undefined {
  const word = String(value).toLowerCase()
  if (['1', 'true', '1.0'].includes(word)) return true
  return ['0', 'false', '0.0'].includes(word) ? false : undefined
}

/** Whether what fields say of themselves is learnt; as text, a flag that says neither. */
export function learntOf(fields: Fields): boolean | string {
  let isLearnt = true
  for (const key of [...FLAGS, ...MASKS]) {
    const value = fields.get(key)
    if (value === undefined || value === null || value === '') continue
    const flag = flagOf(value)
    if (flag === undefined) return `has a ${key} that is neither 0 nor 1`
    if (flag === MASKS.includes(key)) isLearnt = false
  }
  const part = PARTS.find((key) => Array.isArray(fields.get(key)))
  return part === undefined ? isLearnt : `has a ${part}: it is learnt whole or not at all`
}

/** Whether an entry of a list is out of a log. */
export function isLog(entry: unknown): boolean {
  return isJsonRecord(entry) && isLogged(new Fields(entry))
}

/** Whether a list is the turns of one dialogue: each is somebody's, or they are texts that alternate. */
export function isDialogue(list: readonly unknown[]): boolean {
  const isText = typeof list[0] === 'string'
  return list.length > 1 && list.every((entry) => (isText ? typeof entry === 'string' : isOwnTurn(entry)))
}

/** Whether what stands where turns are expected is turns, if broken ones, and no list of rows. */
export function holdsTurns(list: readonly unknown[]): boolean {
  const [first] = list
  if (Array.isArray(first)) return typeof first[0] === 'string'
  return !isJsonRecord(first) || list.some(isOwnTurn)
}

/** Whether an entry is a turn of a dialogue rather than a message of a log. */
function isOwnTurn(entry: unknown): boolean {
  const fields = turnFields(entry)
  return fields !== undefined && isTurn(fields) && !isLogged(fields)
}

/** A list's turns as lines of a scene, texts alone by turns the visitor first; or why they are none. */
export function readTurns(list: readonly unknown[], line: number): readonly SceneLine[] | string {
  const lines: SceneLine[] = []
  for (const [index, turn] of list.entries()) {
    const side = index % 2 === 0 ? 'user' : 'assistant'
    const found = readTurn(typeof turn === 'string' ? { role: side, content: turn } : turn, line)
    if (typeof found === 'string') return `its turn ${index + 1} ${found}`
    lines.push(found)
  }
  return lines
}

function readTurn(turn: unknown, line: number): SceneLine | string {
  const fields = turnFields(turn)
  return fields ? turnLine(fields, line) : 'is neither the user’s nor the assistant’s'
}

/**
 * A turn as a line of a scene, or why it is none, as the end of a sentence that begins with the turn.
 *
 * @param line where in the file it is.
 */
export function turnLine(fields: Fields, line: number): SceneLine | string {
  const speaker = speakerOf(fields)
  if (!speaker) return 'is neither the user’s nor the assistant’s'
  const { tag, name } = speaker
  if (tag === 'tool') return 'is a tool’s'
  const isLearnt = learntOf(fields)
  if (typeof isLearnt === 'string') return isLearnt
  for (const key of [...TAGGED, ...NAMED]) fields.get(key)
  const spoken = {
    text: contentText(fields.first(SAID)),
    line,
    ...(!isLearnt && { isLearnt: false as const }),
  }
  if (tag === 'system' || tag === 'visitor') return { ...spoken, by: tag, name: tag === 'system' ? '' : name }
  if (name === '') return { ...spoken, by: 'character', name }
  return { ...spoken, by: 'named', name, ...(tag === 'character' && { isOwn: true }) }
}
