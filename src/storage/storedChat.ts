import type {
  ChatEvent,
  ChatGroup,
  ChatSummary,
  Generation,
  GroupMember,
  NewMessage,
  Take,
} from './records.ts'

/*
 * Chats as they lie on people's machines, in backups and in exports. The `key` of whoever speaks is called `role` there: so
 * every build can read what any other has written.
 */

type Keyed = { readonly key: string | null }
type Stored<T extends Keyed> = Omit<T, 'key'> & { readonly role: string | null }

export type StoredGeneration = Stored<Generation>
export type StoredSummary = Omit<Stored<ChatSummary>, 'company'> & {
  readonly company?: readonly Stored<Pick<GroupMember, 'key' | 'name'>>[]
}
export type StoredGroup = Omit<ChatGroup, 'members'> & { readonly members: readonly Stored<GroupMember>[] }

type StoredTake = Omit<Take, 'generation'> & { readonly generation: StoredGeneration | null }
type StoredMessage = Omit<Stored<NewMessage>, 'takes'> & { readonly takes: readonly StoredTake[] }

type EventOf<Kind extends ChatEvent['kind']> = ChatEvent & { readonly kind: Kind }

/** An event with its keys, and those within it, under their stored name. */
export type StoredEvent =
  | Stored<EventOf<'chat-created'>>
  | Stored<EventOf<'scene-changed'>>
  | (Omit<EventOf<'message-added'>, 'message'> & { readonly message: StoredMessage })
  | (Omit<EventOf<'take-added'>, 'take'> & { readonly take: StoredTake })
  | (Omit<EventOf<'take-edited'>, 'generation'> & Pick<StoredTake, 'generation'>)
  | (Omit<EventOf<'group-changed'>, 'group'> & { readonly group: StoredGroup | null })
  | Exclude<ChatEvent, { kind: StoredKind }>

type StoredKind =
  | 'chat-created'
  | 'scene-changed'
  | 'message-added'
  | 'take-added'
  | 'take-edited'
  | 'group-changed'

/** An event as it is written; one that a newer build wrote stays as it is. */
export function storeEvent(event: ChatEvent): StoredEvent {
  if (event.version !== 1) return event as ChatEvent & StoredEvent
  if (event.kind === 'chat-created') return store(event)
  if (event.kind === 'scene-changed') return store(event)
  if (event.kind === 'message-added') {
    return { ...event, message: { ...store(event.message), takes: event.message.takes.map(storeTake) } }
  }
  if (event.kind === 'take-added') return { ...event, take: storeTake(event.take) }
  if (event.kind === 'take-edited') {
    return { ...event, generation: event.generation && store(event.generation) }
  }
  if (event.kind === 'group-changed') return { ...event, group: event.group && storeGroup(event.group) }
  return event
}

/** An event from what is written; one that a newer build wrote stays as it is. */
export function eventFrom(stored: StoredEvent): ChatEvent {
  if (stored.version !== 1) return stored as ChatEvent & StoredEvent
  if (stored.kind === 'chat-created') return from(stored)
  if (stored.kind === 'scene-changed') return from(stored)
  if (stored.kind === 'message-added') {
    return { ...stored, message: { ...from(stored.message), takes: stored.message.takes.map(takeFrom) } }
  }
  if (stored.kind === 'take-added') return { ...stored, take: takeFrom(stored.take) }
  if (stored.kind === 'take-edited') {
    return { ...stored, generation: stored.generation && from(stored.generation) }
  }
  if (stored.kind === 'group-changed') return { ...stored, group: stored.group && groupFrom(stored.group) }
  return stored
}

/** A summary as it is written. */
export function storeSummary(summary: ChatSummary): StoredSummary {
  const { company, ...others } = summary
  return { ...store(others), ...(company && { company: company.map(store) }) }
}

/** A summary from what is written. */
export function summaryFrom(stored: StoredSummary): ChatSummary {
  const { company, ...others } = stored
  return { ...from(others), ...(company && { company: company.map(from) }) }
}

/** Those who play, as they are written. */
export function storeGroup({ members, ...others }: ChatGroup): StoredGroup {
  return { ...others, members: members.map(store) }
}

function groupFrom({ members, ...others }: StoredGroup): ChatGroup {
  return { ...others, members: members.map(from) }
}

/** How an answer came about, as it is written. */
export function storeGeneration(generation: Generation): StoredGeneration {
  return store(generation)
}

function storeTake(take: Take): StoredTake {
  return { ...take, generation: take.generation && store(take.generation) }
}

function takeFrom(stored: StoredTake): Take {
  return { ...stored, generation: stored.generation && from(stored.generation) }
}

function store<T extends Keyed>({ key, ...others }: T): Stored<T> {
  return { ...others, role: key }
}

function from<T extends { readonly role: string | null }>({ role, ...others }: T): Omit<T, 'role'> & Keyed {
  return { ...others, key: role }
}
