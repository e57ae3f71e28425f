import { isJsonRecord, ownField } from '../core/json.ts'
import { isPause } from '../core/pause.ts'
import type { ChatGroup, GroupMember, JoinedCards, TurnOrder } from './records.ts'

/** How many play in a chat where several do. */
export const GROUP_SIZE = { least: 2, most: 8 } as const

export const TURN_ORDERS: readonly TurnOrder[] = ['list', 'natural', 'pooled', 'manual']

/** A group field by field from its stored form; null where there is none, undefined where the value says nothing of it. */
export function readGroup(value: unknown): ChatGroup | null | undefined {
  if (value === null) return null
  if (!isJsonRecord(value)) return undefined
  const [listed, order, repliesToSelf, scene, pause, foreign] = [
    'members',
    'order',
    'repliesToSelf',
    'scene',
    'pause',
    'foreign',
  ].map((name) => ownField(value, name))
  const members = (Array.isArray(listed) ? listed : []).map(readMember)
  const read = members.filter((member) => member !== null)
  const known = TURN_ORDERS.find((one) => one === order)
  const isSized = members.length >= GROUP_SIZE.least && members.length <= GROUP_SIZE.most
  if (!isSized || read.length < members.length || known === undefined) return undefined
  if (typeof repliesToSelf !== 'boolean' || typeof scene !== 'string') return undefined
  const joined = readJoined(ownField(value, 'joined'))
  return {
    members: read,
    order: known,
    repliesToSelf,
    scene,
    ...(joined && { joined }),
    ...(isPause(pause) && { pause }),
    ...(typeof foreign === 'string' && { foreign }),
  }
}

function readJoined(value: unknown): JoinedCards | null {
  if (!isJsonRecord(value)) return null
  const [isWithMuted, prefix, suffix] = ['isWithMuted', 'prefix', 'suffix'].map((name) =>
    ownField(value, name),
  )
  if (typeof isWithMuted !== 'boolean' || typeof prefix !== 'string' || typeof suffix !== 'string')
    return null
  return { isWithMuted, prefix, suffix }
}

function readMember(value: unknown): GroupMember | null {
  if (!isJsonRecord(value)) return null
  const [key, name, isMuted, talkativeness, file] = ['role', 'name', 'isMuted', 'talkativeness', 'file'].map(
    (field) => ownField(value, field),
  )
  if ((key !== null && typeof key !== 'string') || typeof name !== 'string') return null
  if (typeof isMuted !== 'boolean' || (talkativeness !== null && !isShare(talkativeness))) return null
  return { key, name, isMuted, talkativeness, ...(typeof file === 'string' && { file }) }
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}
