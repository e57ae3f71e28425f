// Chats that begin where another one stands. No state: `useChats` has it.
import type { Chat, Message } from '../../../src/storage/chat.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import type { ChatChange } from '../../../src/storage/records.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { goTo } from '../page/route.ts'
import { append, personaChange } from './chats.ts'
import { storeText } from '../../words/store.ts'

/** Opens a copy of the chat that ends with this message; the chat itself stays as it is. */
export async function branchChat(chat: Chat, messageId: string): Promise<void> {
  const shown = visibleMessages(chat)
  const upTo = shown.slice(0, shown.findIndex(({ id }) => id === messageId) + 1)
  const id = newId()
  await append(id, [
    {
      kind: 'chat-created',
      key: chat.key,
      title: chat.title ? storeText('branch.title', { title: chat.title }) : null,
      parent: { chat: chat.id, message: messageId },
      metadata: chat.metadata,
      ...(chat.source && { source: chat.source }),
    },
    { kind: 'scene-changed', key: chat.key, strength: chat.strength },
    ...toldChanges(chat),
    ...recapChange(chat, upTo),
    ...upTo.map(copyOf),
  ])
  goTo({ screen: 'chat', chat: id })
  notify(storeText('branch'))
}

function copyOf({ id, speaker, name, key, excluded, takes, selected, foreign }: Message): ChatChange {
  const kept = foreign === undefined ? {} : { foreign }
  return { kind: 'message-added', message: { id, speaker, name, key, excluded, takes, selected, ...kept } }
}

/** The summary, where it tells nothing of what the branch has not. */
function recapChange({ recap }: Chat, kept: readonly Message[]): readonly ChatChange[] {
  return recap && kept.some(({ id }) => id === recap.until) ? [{ kind: 'recap-changed', recap }] : []
}

/** What a chat is told beside its messages, as it comes into another. */
function toldChanges({ books, note, facts, metadata, persona, group }: Chat): readonly ChatChange[] {
  return [
    ...(group ? [{ kind: 'group-changed' as const, group }] : []),
    ...(books.length > 0 ? [{ kind: 'books-changed' as const, books }] : []),
    ...(facts.length > 0 ? [{ kind: 'facts-changed' as const, facts }] : []),
    ...personaChange(persona),
    ...(note || metadata !== null ? [{ kind: 'note-changed' as const, note }] : []),
  ]
}
