import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { PAUSE } from '../core/pause.ts'
import { GROUP_CARDS, GROUP_ORDERS } from '../formats/groupFile.ts'
import type { GroupFile } from '../formats/groupFile.ts'
import { GROUP_SIZE, readGroup } from './chatGroup.ts'
import type { ChatGroup, GroupMember, JoinedCards } from './records.ts'
import { storeGroup } from './storedChat.ts'

/*
 * Groups as SillyTavern has them: in a chat each message names the file of its speaker's card, the scene stands in
 * `chat_metadata`; who is muted and who speaks next is in a file beside it. What that cannot say stands under our own name in
 * `chat_metadata`, where SillyTavern leaves it.
 */

/** The files of the cards of those who speak in a chat, with the names that they have there. */
export function cardFilesIn(records: readonly JsonRecord[]): ReadonlyMap<string, string> {
  return new Map(
    speakersIn(records).flatMap(({ file, name }) => (file === undefined ? [] : [[file, name] as const])),
  )
}

/** Who plays in a chat that came, where several do; their keys are those that were recorded, else null. */
export function groupIn(records: readonly JsonRecord[], metadata: unknown): ChatGroup | null {
  const fields: JsonRecord = isJsonRecord(metadata) ? metadata : {}
  const own = ownField(fields, 'hycora')
  const recorded = isJsonRecord(own) ? readGroup(ownField(own, 'group')) : undefined
  if (recorded) return recorded
  const isGroup = records.some(
    (record) => fileOf(record) !== undefined || ownField(record, 'is_group') === true,
  )
  const members = [
    ...new Map(speakersIn(records).map((speaker) => [speaker.file ?? speaker.name, speaker])).values(),
  ]
  if (!isGroup || members.length < GROUP_SIZE.least) return null
  return {
    members: members.slice(0, GROUP_SIZE.most),
    order: 'natural',
    repliesToSelf: false,
    scene: sceneIn(fields),
  }
}

function sceneIn(metadata: JsonRecord): string {
  const scene = ownField(metadata, 'scenario')
  return typeof scene === 'string' ? scene : ''
}

function memberCalled(name: string, file?: string): GroupMember {
  return { key: null, name, isMuted: false, talkativeness: null, ...(file !== undefined && { file }) }
}

/** What speaks by itself in a chat is neither the visitor nor a note. */
function speakersIn(records: readonly JsonRecord[]): readonly GroupMember[] {
  return records.flatMap((record) => {
    const [isUser, isSystem, name, extra] = ['is_user', 'is_system', 'name', 'extra'].map((key) =>
      ownField(record, key),
    )
    const type = isJsonRecord(extra) ? ownField(extra, 'type') : undefined
    if (isUser === true || isSystem === true || typeof name !== 'string' || name.trim() === '') return []
    return type === 'narrator' ? [] : [memberCalled(name, fileOf(record))]
  })
}

function fileOf(record: JsonRecord): string | undefined {
  const file = ownField(record, 'original_avatar')
  return typeof file === 'string' && file.trim() !== '' ? file : undefined
}

/**
 * Those of a group's file as they play in a chat; null where that leaves fewer than two.
 *
 * @param text of the file, to be handed back.
 * @param names of those who have spoken, by their cards' files.
 */
export function groupFromFile(
  { members, muted, order, repliesToSelf, scene, pause, ...file }: GroupFile,
  {
    text,
    names,
    told,
  }: { readonly text: string; readonly names: ReadonlyMap<string, string>; readonly told: string },
): ChatGroup | null {
  if (members.length < GROUP_SIZE.least) return null
  const joined = joinedIn(file)
  return {
    members: members.slice(0, GROUP_SIZE.most).map((card) => ({
      ...memberCalled(names.get(card) ?? nameInFile(card), card),
      isMuted: muted.includes(card),
    })),
    order,
    repliesToSelf,
    // What the chat itself says is newer.
    scene: told || scene,
    ...(joined && { joined }),
    ...(pause !== PAUSE.usual && { pause }),
    foreign: text,
  }
}

/** How a group's file has the cards of several told as one; null where it does not. */
export function joinedIn({
  cards,
  prefix,
  suffix,
}: Pick<GroupFile, 'cards' | 'prefix' | 'suffix'>): JoinedCards | null {
  return cards === 'own' ? null : { isWithMuted: cards === 'all', prefix, suffix }
}

/** How the cards of several are told, in the fields of a group's file; what its file says and means nothing now stays. */
function cardFields(joined: JoinedCards | null | undefined): JsonRecord {
  const number = GROUP_CARDS.indexOf(!joined ? 'own' : joined.isWithMuted ? 'all' : 'unmuted')
  return {
    generation_mode: number,
    ...(joined && {
      generation_mode_join_prefix: joined.prefix,
      generation_mode_join_suffix: joined.suffix,
    }),
  }
}

/** What a group puts into a chat's `chat_metadata`: its scene as SillyTavern has it, and all of it under our own name. */
export function groupFields(group: ChatGroup | null, metadata: JsonRecord): JsonRecord {
  if (!group) return {}
  const { foreign: _, ...own } = storeGroup(group)
  const isSaid = group.scene !== sceneIn(metadata)
  return { ...(isSaid && { scenario: group.scene }), hycora: { group: own } }
}

/** What of a chat's `chat_metadata` is not our own. */
export function withoutOwn(metadata: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== 'hycora'))
}

/** Whose card a file is, by what it is called: "Old Tom.png" is Old Tom's. */
export function nameInFile(file: string): string {
  return file.replace(/\.[a-z]{3,4}$/i, '')
}

/** The name of a member's card's file: the one that it came with, else after their name, without what no file may have in its. */
export function cardFileOf({ file, name }: Pick<GroupMember, 'file' | 'name'>): string {
  return file ?? `${name.replaceAll(/[\\/:*?"<>|\p{Cc}]/gu, '').trim() || 'Nameless'}.png`
}

/**
 * A chat's group as SillyTavern's own file; what came in one and means nothing here goes out as it came.
 *
 * @param chat what the file of its chat is called, without the extension, where the group has none of its own.
 */
export function exportGroup(
  { members, order, repliesToSelf, joined, pause, foreign }: ChatGroup,
  { name, chat, createdAt }: { readonly name: string; readonly chat: string; readonly createdAt: number },
): string {
  const id = String(createdAt)
  const record = {
    id,
    name,
    avatar_url: '',
    chat_metadata: {},
    fav: false,
    chat_id: chat,
    chats: [chat],
    auto_mode_delay: PAUSE.usual,
    generation_mode_join_prefix: '',
    generation_mode_join_suffix: '',
    ...recordIn(foreign),
    ...cardFields(joined),
    ...(pause !== undefined && { auto_mode_delay: pause }),
    members: members.map(cardFileOf),
    allow_self_responses: repliesToSelf,
    activation_strategy: GROUP_ORDERS.indexOf(order),
    disabled_members: members.filter(({ isMuted }) => isMuted).map(cardFileOf),
  }
  return `${JSON.stringify(record, null, 4)}\n`
}

/** What the open chat of a group's file is called, without its extension; null where the group came in none. */
export function chatFileOf({ foreign }: ChatGroup): string | null {
  const chat = ownField(recordIn(foreign), 'chat_id')
  return typeof chat === 'string' && chat.trim() !== '' ? chat : null
}

function recordIn(json: string | undefined): JsonRecord {
  try {
    const value: unknown = JSON.parse(json ?? '{}')
    return isJsonRecord(value) ? value : {}
  } catch {
    return {}
  }
}
