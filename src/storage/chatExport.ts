import { isJsonRecord, ownField } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import type { Chat, Message } from './chat.ts'
import { noteFields } from './chatNote.ts'
import { selectedTake, visibleMessages } from './chat.ts'
import { cardFileOf, groupFields } from './groupFiles.ts'
import type { ChatGroup, Take } from './records.ts'
import { storeGeneration } from './storedChat.ts'

/*
 * What SillyTavern reads: one JSON object a line, the first a header, then one message each.
 * Invariants: `swipes[swipe_id] === mes`, `swipe_info.length === swipes.length`.
 */

/** How a text is written: as it is kept, or with its macros filled. */
type Words = (take: Take, message: Message) => string

/**
 * A chat as SillyTavern JSONL; what came in with it and means nothing here goes out as it came.
 *
 * @param wordsOf gives the text of a take, where it is not what is kept.
 */
export function exportChat(
  chat: Chat,
  names: { readonly user: string; readonly character: string },
  wordsOf: Words = ({ text }) => text,
): string {
  const metadata = recordOf(chat.metadata)
  const header = {
    user_name: names.user,
    // SillyTavern has no character for a chat of several.
    character_name: chat.group ? 'unused' : names.character,
    create_date: new Date(chat.createdAt).toISOString(),
    ...recordOf(chat.source?.header),
    chat_metadata: {
      ...metadata,
      ...noteFields(chat.note, chat.metadata),
      ...groupFields(chat.group, metadata),
    },
  }
  const lines = visibleMessages(chat).map((message) => ({
    ...speakerFields(message, chat.group),
    ...exportMessage(message, wordsOf),
  }))
  return [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** Whose card a message of one of several is, by its file; one that came with it goes before. */
function speakerFields({ speaker, key, name }: Message, group: ChatGroup | null): JsonRecord {
  if (!group || speaker === 'user') return {}
  const member = group.members.find((one) => (key === null ? one.name === name : one.key === key))
  const file = cardFileOf(member ?? { name })
  return { original_avatar: file, force_avatar: `/thumbnail?type=avatar&file=${encodeURIComponent(file)}` }
}

function exportMessage(message: Message, wordsOf: Words): JsonRecord {
  const shown = selectedTake(message)
  const swipes = message.takes.length > 1 || message.speaker === 'role'
  return {
    ...recordOf(message.foreign),
    name: message.name,
    is_user: message.speaker === 'user',
    is_system: message.excluded,
    ...factsOf(shown, message.key, 'message'),
    mes: wordsOf(shown, message),
    ...(swipes && {
      swipe_id: message.selected,
      swipes: message.takes.map((take) => wordsOf(take, message)),
      swipe_info: message.takes.map((take) => factsOf(take, message.key, 'swipe')),
    }),
  }
}

/** The facts of a take: as they came with the message or with the swipe, with our own under one name in their stored form. */
function factsOf(take: Take, key: string | null, where: 'message' | 'swipe'): JsonRecord {
  const { generation, at } = take
  const came = recordOf(take.foreign)
  const own = ownField(came, where) ?? ownField(came, where === 'swipe' ? 'message' : 'swipe')
  const facts: JsonRecord = isJsonRecord(own) ? own : {}
  const extra = ownField(facts, 'extra')
  const hycora = {
    ...(key !== null || generation ? { role: key } : {}),
    ...(generation && { generation: storeGeneration(generation) }),
  }
  return {
    send_date: new Date(at).toISOString(),
    ...facts,
    extra: {
      ...(isJsonRecord(extra) ? extra : {}),
      // `token_count` is SillyTavern's.
      ...(generation && { token_count: generation.tokens }),
      ...(Object.keys(hycora).length > 0 && { hycora }),
    },
  }
}

/** An object that was kept as JSON; an empty one for none. */
function recordOf(json: string | null | undefined): JsonRecord {
  try {
    const value: unknown = JSON.parse(json ?? '{}')
    return isJsonRecord(value) ? value : {}
  } catch {
    // Whoever wrote the backup that it came in wrote no JSON.
    return {}
  }
}
