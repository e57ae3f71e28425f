// Several in one chat: who they are, who joins and who leaves, and how they take turns. No state: `useChats` has it.
import type { Chat } from '../../../src/storage/chat.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import { GROUP_SIZE } from '../../../src/storage/chatGroup.ts'
import type { ChatChange, ChatGroup, ChatSummary, GroupMember } from '../../../src/storage/records.ts'
import { findMember, useCast } from '../company/cast.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { goTo } from '../page/route.ts'
import { useSettings } from '../page/settings.ts'
import { append, greetingsFrom, personaChange, useChats } from './chats.ts'
import { characterName } from './scene.ts'
import { storeText } from '../../words/store.ts'

/** How those who are brought together take turns until it is chosen otherwise. */
export const USUAL_GROUP = { order: 'natural', repliesToSelf: false, scene: '' } as const

/** Somebody of the cast as one of several. */
export function groupMember(key: string): GroupMember {
  const name = characterName(findMember(useCast.getState().members, key), key)
  return { key, name, isMuted: false, talkativeness: null }
}

/** What one of several begins a chat with: what their card has for groups alone, then what they say to one. */
export function groupGreeting(key: string | null): readonly ChatChange[] {
  const member = findMember(useCast.getState().members, key)
  return greetingsFrom(key, member?.card?.groupOnlyGreetings.filter((text) => text.trim() !== '') ?? [])
}

/** Opens a new chat with several of the cast, or the one that waits with their greetings. */
export async function beginGroup(
  members: readonly GroupMember[],
  settings: Omit<ChatGroup, 'members' | 'foreign'>,
): Promise<void> {
  const group: ChatGroup = { members, ...settings }
  const waiting = useChats
    .getState()
    .summaries.find((chat) => !chat.started && !chat.deleted && isSameCompany(chat, group.members))
  const id = waiting?.id ?? newId()
  const begun: readonly ChatChange[] = waiting
    ? []
    : [
        { kind: 'chat-created', key: null, title: null, parent: null, metadata: null },
        ...personaChange(useSettings.getState().persona),
        ...members.flatMap(({ key }) => groupGreeting(key)),
      ]
  const [created, ...others] = begun
  const changed: ChatChange = { kind: 'group-changed', group }
  await append(id, [...(created ? [created] : []), changed, ...others])
  goTo({ screen: 'chat', chat: id })
}

/** Whether the same play in two chats, in the same order. */
export function isSameCompany(
  { company }: Pick<ChatSummary, 'company'>,
  members: readonly Pick<GroupMember, 'key' | 'name'>[],
): boolean {
  return company?.map(markOf).join('\n') === members.map(markOf).join('\n')
}

function markOf({ key, name }: Pick<GroupMember, 'key' | 'name'>): string {
  return key ?? `: ${name}`
}

/** Changes how several take turns, or where they are. */
export async function changeGroup(
  { id, group }: Chat,
  changes: Partial<Omit<ChatGroup, 'members' | 'foreign'>>,
): Promise<void> {
  if (!group) return
  const changed = { ...group, ...changes }
  if (JSON.stringify(changed) === JSON.stringify(group)) return
  await append(id, [{ kind: 'group-changed', group: changed }])
}

/** Mutes one of several, or changes how talkative they are. */
export async function changeMember(
  { id, group }: Chat,
  member: GroupMember,
  changes: Partial<Pick<GroupMember, 'isMuted' | 'talkativeness'>>,
): Promise<void> {
  if (!group) return
  const members = group.members.map((one) => (one === member ? { ...one, ...changes } : one))
  await append(id, [{ kind: 'group-changed', group: { ...group, members } }])
}

/** Lets one of several speak a place earlier. */
export async function moveUp({ id, group }: Chat, member: GroupMember): Promise<void> {
  const place = group?.members.indexOf(member) ?? -1
  const before = group?.members[place - 1]
  if (!group || !before) return
  const members = group.members.with(place - 1, member).with(place, before)
  await append(id, [{ kind: 'group-changed', group: { ...group, members } }])
}

/** Whether somebody more may join a chat: where nobody plays, nobody is joined. */
export function canJoin({ group, key }: Chat): boolean {
  return group ? group.members.length < GROUP_SIZE.most : key !== null
}

/** Lets somebody of the cast join a chat; before the first words they greet too. */
export async function join(chat: Chat, key: string): Promise<void> {
  const { id, group, strength } = chat
  if (!canJoin(chat) || keysIn(chat).includes(key)) return
  const present = group ?? { ...USUAL_GROUP, members: chat.key === null ? [] : [groupMember(chat.key)] }
  const hasBegun = visibleMessages(chat).some(({ speaker }) => speaker === 'user')
  await append(id, [
    { kind: 'group-changed', group: { ...present, members: [...present.members, groupMember(key)] } },
    ...(group ? [] : [{ kind: 'scene-changed' as const, key: null, strength }]),
    ...(hasBegun ? [] : groupGreeting(key)),
  ])
}

function keysIn({ group, key }: Chat): readonly (string | null)[] {
  return group ? group.members.map((member) => member.key) : [key]
}

/** Lets one of several leave, and offers to take that back; the last who stays has the chat alone. */
export async function leave({ id, group, strength }: Chat, member: GroupMember): Promise<void> {
  if (!group) return
  const members = group.members.filter((one) => one !== member)
  const [last] = members
  const isAlone = members.length < GROUP_SIZE.least
  await append(id, [
    { kind: 'group-changed', group: isAlone ? null : { ...group, members } },
    ...(isAlone ? [{ kind: 'scene-changed' as const, key: last?.key ?? null, strength }] : []),
  ])
  notify(storeText('group.left', { name: member.name }), () =>
    append(id, [
      { kind: 'group-changed', group },
      ...(isAlone ? [{ kind: 'scene-changed' as const, key: null, strength }] : []),
    ]),
  )
}
