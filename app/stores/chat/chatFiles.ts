// Chats that come in from files, and go out as such. No state: `useChats` has it.
import { plainName } from '../../../src/cast/plainName.ts'
import { HycoraError } from '../../../src/core/errors.ts'
import { lettersOf } from '../../../src/core/names.ts'
import { decodeText, withoutFilling } from '../../../src/core/text.ts'
import type { GroupFile } from '../../../src/formats/groupFile.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { exportChat } from '../../../src/storage/chatExport.ts'
import { GROUP_SIZE } from '../../../src/storage/chatGroup.ts'
import { chatFileOf, exportGroup, groupFromFile } from '../../../src/storage/groupFiles.ts'
import type { ChatChange, ChatGroup, NewMessage } from '../../../src/storage/records.ts'
import { importChats } from '../../../src/storage/sillyTavern.ts'
import type { ImportedChat } from '../../../src/storage/sillyTavern.ts'
import { findMember, useCast } from '../company/cast.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { goTo } from '../page/route.ts'
import { visitorIn } from '../page/visitor.ts'
import { append } from './chats.ts'
import { groupGreeting } from './group.ts'
import { characterIn, chatNames, wordsOf } from './scene.ts'
import { detailText } from '../../words/details.ts'
import { storeText } from '../../words/store.ts'
import { listNames } from '../../words/names.ts'
import { locale } from '../../words/catalogue.ts'

/** The chat as a SillyTavern file. */
export function exportOpenChat(chat: Chat): { readonly name: string; readonly text: string } {
  const member = findMember(useCast.getState().members, chat.key)
  const names = chatNames(chat, member, visitorIn(chat))
  return {
    name: `${chatStem(chat, names.character)}.jsonl`,
    text: exportChat(chat, names, (take, message) => wordsOf(take, message, chat, names)),
  }
}

/** What the file of a chat is called: that of a group that came in a file as the group has it. */
function chatStem({ group, updatedAt }: Chat, character: string): string {
  const own = group && chatFileOf(group)
  return own ?? `${character} - ${new Date(updatedAt).toISOString().slice(0, 10)}`
}

/** A chat's group as SillyTavern's file of it; null for a chat of one. */
export function exportOpenGroup(chat: Chat): { readonly name: string; readonly text: string } | null {
  const { group, createdAt } = chat
  if (!group) return null
  const name = characterIn(chat, undefined)
  return { name: `${name}.json`, text: exportGroup(group, { name, chat: chatStem(chat, name), createdAt }) }
}

/** A group's file that goes with a chat. */
export interface ChatGroupFile {
  readonly group: GroupFile
  readonly text: string
}

/**
 * Opens the chats of a file as new ones, goes to the longest of them, and says what of it could not be read.
 *
 * @param group of those who play in it, where its file came too.
 * @throws HycoraError `format-invalid`.
 */
export async function importChatFile(file: File, group: ChatGroupFile | null = null): Promise<void> {
  const bytes = withoutFilling(new Uint8Array(await file.arrayBuffer()))
  const { text, warning } = decodeText(bytes, file.name)
  const chats = importChats(text, newId)
  const stem = file.name.replace(/\.(?:jsonl?|byaf)$/i, '')
  const ids: string[] = []
  for (const [index, imported] of chats.entries()) {
    const own = imported.title?.trim() || (chats.length > 1 ? String(index + 1) : '')
    const title = group?.group.name || stem
    ids.push(await keepImported(withGroup(imported, group), own === '' ? title : `${title}: ${own}`))
  }
  const longest = chats.reduce((most, { messages }) => Math.max(most, messages.length), 0)
  goTo({ screen: 'chat', chat: ids[chats.findIndex(({ messages }) => messages.length === longest)] ?? '' })
  notify([importReport(chats), ...(warning === null ? [] : [`${warning}.`])].join(' '))
}

/** A chat with those of its group's file. */
function withGroup(imported: ImportedChat, file: ChatGroupFile | null): ImportedChat {
  if (!file) return imported
  const { cardFiles: names, group } = imported
  const { text } = file
  const found = groupFromFile(file.group, { text, names, told: group?.scene ?? '' })
  return { ...imported, group: found ?? group }
}

/** The members of a group as they are known here. */
function known({ members, ...others }: ChatGroup): ChatGroup {
  const { members: cast } = useCast.getState()
  return {
    ...others,
    members: members.map((member) => {
      const isHere = cast.some(({ key }) => key === member.key)
      return isHere ? member : { ...member, key: memberCalled(member.name) }
    }),
  }
}

/** Keeps a chat that came in, under this title; its id here. */
async function keepImported(imported: ImportedChat, title: string): Promise<string> {
  const group = imported.group && known(imported.group)
  const key = group ? null : matchMember(imported)
  const id = newId()
  await append(id, [
    {
      kind: 'chat-created',
      key,
      title,
      parent: null,
      metadata: imported.metadata,
      source: {
        user: imported.userName && plainName(imported.userName),
        character: imported.characterName && plainName(imported.characterName),
        header: imported.header,
      },
    },
    ...(group ? [{ kind: 'group-changed' as const, group }] : []),
    ...imported.messages.map((message): ChatChange => ({
      kind: 'message-added',
      message: group ? spokenIn(message, group) : withKey(message, imported.characterName, key),
    })),
  ])
  return id
}

/** A message as said by the one of several whose name it has. */
function spokenIn(message: NewMessage, { members }: ChatGroup): NewMessage {
  if (message.speaker === 'user') return message
  const speaker = members.find(
    ({ key, name }) => (message.key !== null && key === message.key) || name === message.name,
  )
  return { ...message, key: speaker ? speaker.key : memberCalled(message.name) }
}

/** Opens a new chat with those of a group's file who are here. @throws HycoraError `usage` where these are fewer than two. */
export async function beginGroupFile({ group: file, text }: ChatGroupFile, fileName: string): Promise<void> {
  const found = groupFromFile(file, { text, names: new Map(), told: '' })
  const group = found && known(found)
  const absent = (group?.members ?? []).filter(({ key }) => key === null).map(({ name }) => name)
  const isPlayable = group && group.members.length - absent.length >= GROUP_SIZE.least
  if (!isPlayable) {
    const missing = absent.length === 0 ? storeText('group.others') : listNames(absent)
    throw new HycoraError('usage', storeText('group.needs', { fileName, missing }))
  }
  const id = newId()
  await append(id, [
    { kind: 'chat-created', key: null, title: file.name || null, parent: null, metadata: null },
    { kind: 'group-changed', group },
    ...group.members.flatMap(({ key }) => groupGreeting(key)),
  ])
  goTo({ screen: 'chat', chat: id })
  if (absent.length > 0)
    notify(storeText('group.absent', { names: listNames(absent), absent: absent.length }))
}

/** Lines that were skipped are named up to this many. */
const MOST_LINES = 5

function importReport(chats: readonly ImportedChat[]): string {
  const messages = chats.reduce((sum, chat) => sum + chat.messages.length, 0)
  const came = storeText('chats.came', { messages, chats: chats.length })
  const skipped = chats.flatMap((chat) => chat.skipped)
  const [first] = skipped
  if (!first) return came
  const { line } = first
  const reason = detailText(first.reason)
  if (skipped.length === 1) return storeText('chats.skipped', { came, line, reason })
  const lines = skipped.map((one) => String(one.line)).slice(0, MOST_LINES)
  const which = new Intl.ListFormat(locale(), { style: 'narrow' }).format(lines)
  const isMany = skipped.length > MOST_LINES
  const all = skipped.length
  return storeText(isMany ? 'chats.skippedMany' : 'chats.skippedSome', { came, all, which, line, reason })
}

/** Whom an imported chat was with: as its own facts say, else by name; null when nobody here fits. */
function matchMember(imported: ImportedChat): string | null {
  const recorded = imported.messages.find((message) => message.key !== null)?.key
  const member = useCast.getState().members.find(({ key }) => key === recorded)
  return member?.key ?? memberCalled(imported.characterName)
}

/** Who of the cast has a name, in any spelling; null for nobody. */
function memberCalled(name: string): string | null {
  const letters = lettersOf(name)
  const { members } = useCast.getState()
  const isCalled = (written: string): boolean => letters !== '' && lettersOf(written) === letters
  return members.find(({ key, displayName }) => isCalled(key) || isCalled(displayName))?.key ?? null
}

/** A message of the chat's character as this member's, and of another one as theirs, unless it says whose it is. */
function withKey(message: NewMessage, character: string, key: string | null): NewMessage {
  if (message.speaker === 'user' || message.key !== null) return message
  return { ...message, key: message.name === character ? key : memberCalled(message.name) }
}
