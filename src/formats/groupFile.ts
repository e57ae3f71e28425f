import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { isPause, PAUSE } from '../core/pause.ts'

/*
 * A group as SillyTavern keeps it: a JSON object beside the chats of the group, which are files of their own. Its members are
 * the names of their cards' files.
 */

/** Who of a group speaks after the visitor, by SillyTavern's numbers. */
export const GROUP_ORDERS = ['natural', 'list', 'manual', 'pooled'] as const

/** Whose cards whoever speaks is told, by SillyTavern's numbers: their own, those of all who are not muted, those of all. */
export const GROUP_CARDS = ['own', 'unmuted', 'all'] as const

/** What a group's file says of it. */
export interface GroupFile {
  readonly name: string
  /** Names of cards' files, in their order, each once. */
  readonly members: readonly string[]
  /** Those who speak only when given the word. */
  readonly muted: readonly string[]
  readonly order: (typeof GROUP_ORDERS)[number]
  readonly repliesToSelf: boolean
  /** In place of the cards' scenarios; empty where they hold. */
  readonly scene: string
  readonly cards: (typeof GROUP_CARDS)[number]
  /** Before and behind each text of each card, where those of several are told; macros and `<FIELDNAME>` unfilled. */
  readonly prefix: string
  readonly suffix: string
  /** Seconds of silence before somebody speaks, where they go on by themselves. */
  readonly pause: number
  /** What the files of its chats are called, without their extension; the one that was open first. */
  readonly chats: readonly string[]
}

/** More members than any group has. */
const MOST_MEMBERS = 512

/** A group from the JSON value of its file; null where the value is none, or has nobody in it. */
export function readGroupFile(value: unknown): GroupFile | null {
  if (!isJsonRecord(value)) return null
  const members = [...new Set(textsIn(value, 'members'))].slice(0, MOST_MEMBERS)
  const isGroup = ['chat_id', 'chats', 'activation_strategy'].some((key) => Object.hasOwn(value, key))
  if (!isGroup || members.length === 0) return null
  const [name, order, open, metadata, cards, pause] = [
    'name',
    'activation_strategy',
    'chat_id',
    'chat_metadata',
    'generation_mode',
    'auto_mode_delay',
  ].map((key) => ownField(value, key))
  const scene = isJsonRecord(metadata) ? ownField(metadata, 'scenario') : undefined
  const chats = [...(typeof open === 'string' ? [open] : []), ...textsIn(value, 'chats')]
  return {
    name: typeof name === 'string' ? name.trim() : '',
    members,
    muted: textsIn(value, 'disabled_members').filter((member) => members.includes(member)),
    order: GROUP_ORDERS[typeof order === 'number' ? order : 0] ?? 'natural',
    repliesToSelf: ownField(value, 'allow_self_responses') === true,
    scene: typeof scene === 'string' ? scene : '',
    cards: GROUP_CARDS[typeof cards === 'number' ? cards : 0] ?? 'own',
    prefix: textIn(value, 'generation_mode_join_prefix'),
    suffix: textIn(value, 'generation_mode_join_suffix'),
    pause: isPause(pause) ? pause : PAUSE.usual,
    chats: [...new Set(chats)],
  }
}

function textIn(record: JsonRecord, key: string): string {
  const value = ownField(record, key)
  return typeof value === 'string' ? value : ''
}

function textsIn(record: JsonRecord, key: string): readonly string[] {
  const value = ownField(record, key)
  const all: readonly unknown[] = Array.isArray(value) ? value : []
  return all.filter((one) => typeof one === 'string').filter((one) => one.trim() !== '')
}
