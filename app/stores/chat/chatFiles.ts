// Chats that come in from files, and go out as such. No state: `useChats` has it.
import { plainName } from '../../../src/cast/plainName.ts'
import { decodeText, withoutFilling } from '../../../src/core/text.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { exportChat } from '../../../src/storage/chatExport.ts'
import type { ChatChange, NewMessage } from '../../../src/storage/records.ts'
import { importChats } from '../../../src/storage/sillyTavern.ts'
import type { ImportedChat } from '../../../src/storage/sillyTavern.ts'
import { findMember, useCast } from '../company/cast.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { goTo } from '../page/route.ts'
import { visitorIn } from '../page/visitor.ts'
import { append } from './chats.ts'
import { chatNames, lettersOf, wordsOf } from './scene.ts'

/** The chat as a SillyTavern file. */
export function exportOpenChat(chat: Chat): { readonly name: string; readonly text: string } {
  const member = findMember(useCast.getState().members, chat.key)
  const names = chatNames(chat, member, visitorIn(chat))
  const date = new Date(chat.updatedAt).toISOString().slice(0, 10)
  return {
    name: `${names.character} - ${date}.jsonl`,
    text: exportChat(chat, names, (take, message) => wordsOf(take, message, chat, names)),
  }
}

/** Opens the chats of a file as new ones, goes to the longest of them, and says what of it could not be read. @throws HycoraError `format-invalid`. */
export async function importChatFile(file: File): Promise<void> {
  const bytes = withoutFilling(new Uint8Array(await file.arrayBuffer()))
  const { text, warning } = decodeText(bytes, file.name)
  const chats = importChats(text, newId)
  const stem = file.name.replace(/\.(?:jsonl?|byaf)$/i, '')
  const ids: string[] = []
  for (const [index, imported] of chats.entries()) {
    const own = imported.title?.trim() || (chats.length > 1 ? String(index + 1) : '')
    ids.push(await keepImported(imported, own === '' ? stem : `${stem}: ${own}`))
  }
  const longest = chats.reduce((most, { messages }) => Math.max(most, messages.length), 0)
  goTo({ screen: 'chat', chat: ids[chats.findIndex(({ messages }) => messages.length === longest)] ?? '' })
  notify([importReport(chats), ...(warning === null ? [] : [`${warning}.`])].join(' '))
}

/** Keeps a chat that came in, under this title; its id here. */
async function keepImported(imported: ImportedChat, title: string): Promise<string> {
  const key = matchMember(imported)
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
    ...imported.messages.map((message): ChatChange => ({
      kind: 'message-added',
      message: withKey(message, imported.characterName, key),
    })),
  ])
  return id
}

function importReport(chats: readonly ImportedChat[]): string {
  const messages = chats.reduce((sum, chat) => sum + chat.messages.length, 0)
  const said = messages === 1 ? 'One message' : `${messages} messages`
  const came = chats.length === 1 ? `${said} came in.` : `${said} in ${chats.length} chats came in.`
  const skipped = chats.flatMap((chat) => chat.skipped)
  const [first] = skipped
  if (!first) return came
  const which = skipped
    .map(({ line }) => line)
    .slice(0, 5)
    .join(', ')
  const more = skipped.length > 5 ? ' and others' : ''
  return skipped.length === 1
    ? `${came} Line ${first.line} was skipped: ${first.reason}.`
    : `${came} ${skipped.length} lines were skipped (${which}${more}); line ${first.line}: ${first.reason}.`
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
