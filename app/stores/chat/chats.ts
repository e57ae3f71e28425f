// Scope: document. The chats; everything that changes one goes through `append`.
import { create } from 'zustand'

import { failureOf } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { applyEvent, selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { ChatLog } from '../../../src/storage/chatLog.ts'
import { openChatLog } from '../../../src/storage/chatLog.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { keepStorage } from '../../../src/storage/persistence.ts'
import type { ChatChange, ChatSummary, NewMessage, Take } from '../../../src/storage/records.ts'
import { findMember, useCast } from '../company/cast.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { goTo } from '../page/route.ts'
import { useSettings } from '../page/settings.ts'
import { shownTitle } from './titles.ts'
import { storeText } from '../../words/store.ts'

interface ChatsState {
  /** Every chat, deleted ones too, the most recently changed first. */
  readonly summaries: readonly ChatSummary[]
  readonly isListed: boolean
  /** The chat on the screen. */
  readonly open: Chat | null
  /** The id of a chat that was asked for and does not exist. */
  readonly missing: string | null
  /** Why what is said is not kept. */
  readonly saveFailure: Failure | null
}

export const useChats = create<ChatsState>()(() => ({
  summaries: [],
  isListed: false,
  open: null,
  missing: null,
  saveFailure: null,
}))

let log: ChatLog = openMemoryLog()

/** Opens the kept chats; where the browser refuses storage, chats live as long as the page, and the state says so. */
export async function openChats(open: () => Promise<ChatLog> = openChatLog): Promise<void> {
  try {
    log = await open()
  } catch (thrown) {
    reportSaveFailure(thrown)
  }
  log.onForeignChange((chat) => {
    if (useChats.getState().open?.id === chat) void openChat(chat)
    void listChats()
  })
  await listChats()
}

/** The log itself, for what is done with all chats at once. */
export function chatLog(): ChatLog {
  return log
}

/** Reads which chats there are. */
export async function listChats(): Promise<void> {
  try {
    useChats.setState({ summaries: await log.list(), isListed: true })
  } catch (thrown) {
    // Without its list the page still stands, and a chat that is open goes on.
    reportSaveFailure(thrown)
    useChats.setState({ isListed: true })
  }
}

function reportSaveFailure(thrown: unknown): void {
  useChats.setState({ saveFailure: failureOf(thrown, 'storage-corrupt') })
}

/** The chat that was asked for last: a slower answer about another one comes too late. */
let wanted: string | null = null

/** Puts a chat on the screen. */
export async function openChat(id: string): Promise<void> {
  wanted = id
  const chat = await log.read(id).catch((thrown: unknown) => {
    reportSaveFailure(thrown)
    return undefined
  })
  if (wanted !== id) return
  useChats.setState(chat ? { open: chat, missing: null } : { open: null, missing: id })
}

/** Takes the chat off the screen. */
export function closeChat(): void {
  wanted = null
  useChats.setState({ open: null, missing: null })
}

/** Adds events to a chat: on the screen at once, in the log as soon as the disk has them. */
export async function append(chat: string, changes: readonly ChatChange[]): Promise<void> {
  const at = Date.now()
  useChats.setState(({ open }) => {
    if (open?.id !== chat) return {}
    const after = changes.reduce<Chat | undefined>(
      (folded, change) => applyEvent(folded, { ...change, version: 1, chat, at }),
      open,
    )
    return { open: after ?? open }
  })
  try {
    await log.append(chat, changes, at)
    useChats.setState({ saveFailure: null })
  } catch (thrown) {
    reportSaveFailure(thrown)
  }
  await listChats()
}

/** A message with one wording, said now. */
export function newMessage(
  fields: Pick<NewMessage, 'speaker' | 'name' | 'key'>,
  takes: readonly Take[],
): NewMessage {
  return { ...fields, id: newId(), excluded: false, takes, selected: 0 }
}

/** What somebody begins a chat with; `first` stands before what their card has for it. */
export function greetingsFrom(key: string | null, first: readonly string[] = []): readonly ChatChange[] {
  const member = findMember(useCast.getState().members, key)
  const greetings = [...first, ...(member?.greetings ?? [])]
  if (!member || greetings.length === 0) return []
  const takes = greetings.map((text) => ({ id: newId(), text, at: Date.now(), generation: null }))
  return [
    {
      kind: 'message-added',
      message: newMessage({ speaker: 'role', name: member.displayName, key }, takes),
    },
  ]
}

/** Whom the visitor is from now on, where that is not themselves. */
export function personaChange(persona: string | null): readonly ChatChange[] {
  return persona === null ? [] : [{ kind: 'persona-changed', persona }]
}

/** Whether a chat is with somebody alone; null is the bare model. */
export function isWith(chat: Pick<ChatSummary, 'key' | 'company'>, key: string | null): boolean {
  return chat.key === key && chat.company === undefined
}

/** Opens a new chat with a member of the cast, or the one that waits with only its greeting. */
export async function beginChat(key: string | null): Promise<void> {
  const { persona } = useSettings.getState()
  const waiting = useChats
    .getState()
    .summaries.find((chat) => !chat.started && !chat.deleted && isWith(chat, key))
  if (waiting) {
    const chat = await log.read(waiting.id)
    if (chat?.persona === null && persona !== null) await append(waiting.id, personaChange(persona))
    goTo({ screen: 'chat', chat: waiting.id })
    return
  }
  const id = newId()
  await append(id, [
    { kind: 'chat-created', key, title: null, parent: null, metadata: null },
    ...personaChange(persona),
    ...greetingsFrom(key),
  ])
  goTo({ screen: 'chat', chat: id })
}

/** Opens the last chat with a member of the cast, else a new one. */
export async function meet(key: string): Promise<void> {
  const last = useChats
    .getState()
    .summaries.find((chat) => chat.started && !chat.deleted && isWith(chat, key))
  if (last) goTo({ screen: 'chat', chat: last.id })
  else await beginChat(key)
}

/** Lets somebody else, or another strength of them, play on. Before the first words the greeting changes too. */
export async function setScene(scene: {
  readonly key: string | null
  readonly strength: number
}): Promise<void> {
  const chat = useChats.getState().open
  if (!chat || (chat.key === scene.key && chat.strength === scene.strength)) return
  const changes: ChatChange[] = [{ kind: 'scene-changed', ...scene }]
  const shown = visibleMessages(chat)
  if (chat.key !== scene.key && shown.every((message) => message.speaker === 'role')) {
    if (shown.length > 0) changes.push({ kind: 'messages-deleted', messages: shown.map(({ id }) => id) })
    changes.push(...greetingsFrom(scene.key))
  }
  await append(chat.id, changes)
}

/** Gives a chat a title. */
export async function renameChat(chat: string, title: string): Promise<void> {
  await append(chat, [{ kind: 'chat-titled', title: title.trim() }])
}

/** Deletes a chat and offers to take that back. */
export async function deleteChat(chat: ChatSummary): Promise<void> {
  const wasOpen = useChats.getState().open?.id === chat.id
  if (wasOpen) goTo({ screen: 'cast' })
  await append(chat.id, [{ kind: 'chat-deleted' }])
  notify(storeText('chat.deleted', { title: shownTitle(chat.title) }), async () => {
    await append(chat.id, [{ kind: 'chat-restored' }])
    if (wasOpen) goTo({ screen: 'chat', chat: chat.id })
  })
}

/** Removes every chat from the disk; they cannot come back. */
export async function eraseAllChats(): Promise<void> {
  for (const { id, deleted } of await log.list()) {
    if (!deleted) await log.append(id, [{ kind: 'chat-deleted' }])
  }
  await eraseDeletedChats()
}

/** Removes deleted chats from the disk; they cannot come back. */
export async function eraseDeletedChats(): Promise<void> {
  const count = await log.eraseDeleted()
  await listChats()
  notify(storeText('chat.erased', { count }))
}

/** Deletes a message and offers to take that back. */
export async function deleteMessage(chat: Chat, message: string): Promise<void> {
  await append(chat.id, [{ kind: 'messages-deleted', messages: [message] }])
  notify(storeText('message.deleted'), () =>
    append(chat.id, [{ kind: 'messages-restored', messages: [message] }]),
  )
}

/** Changes the shown wording of a message. */
export async function editMessage(chat: Chat, messageId: string, text: string): Promise<void> {
  const message = chat.messages.find(({ id }) => id === messageId)
  if (!message || selectedTake(message).text === text) return
  await append(chat.id, [
    { kind: 'take-edited', message: messageId, take: selectedTake(message).id, text, generation: null },
  ])
}

/** Shows another wording of a message. */
export async function selectTake(chat: Chat, messageId: string, index: number): Promise<void> {
  const take = chat.messages.find(({ id }) => id === messageId)?.takes[index]
  if (take) await append(chat.id, [{ kind: 'take-selected', message: messageId, take: take.id }])
}

/** Asks the browser to keep what is here, once something is worth keeping. */
export function keepWhatIsSaid(): void {
  // Its answer is shown Backstage; a refusal changes nothing that is said here.
  keepStorage().catch(() => false)
}
