import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'

/*
 * A group as SillyTavern keeps it: a JSON object beside the chats of the group, which are files of their own. Its members are
 * the names of their cards' files.
 */

/** Who of a group speaks after the visitor, by SillyTavern's numbers. */
export const GROUP_ORDERS = ['natural', 'list', 'manual', 'pooled'] as const

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
  const [name, order, open, metadata] = ['name', 'activation_strategy', 'chat_id', 'chat_metadata'].map(
    (key) => ownField(value, key),
  )
  const scene = isJsonRecord(metadata) ? ownField(metadata, 'scenario') : undefined
  const chats = [...(typeof open === 'string' ? [open] : []), ...textsIn(value, 'chats')]
  return {
    name: typeof name === 'string' ? name.trim() : '',
    members,
    muted: textsIn(value, 'disabled_members').filter((member) => members.includes(member)),
    order: GROUP_ORDERS[typeof order === 'number' ? order : 0] ?? 'natural',
    repliesToSelf: ownField(value, 'allow_self_responses') === true,
    scene: typeof scene === 'string' ? scene : '',
    chats: [...new Set(chats)],
  }
}

function textsIn(record: JsonRecord, key: string): readonly string[] {
  const value = ownField(record, key)
  const all: readonly unknown[] = Array.isArray(value) ? value : []
  return all.filter((one) => typeof one === 'string').filter((one) => one.trim() !== '')
}
