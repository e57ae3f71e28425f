import { foldChat, summarize } from './chat.ts'
import type { Chat } from './chat.ts'
import { committed, settled, storageError } from './database.ts'
import type { ChatChange, ChatEvent, ChatSummary } from './records.ts'
import { eventFrom, storeEvent, storeSummary, summaryFrom } from './storedChat.ts'
import type { StoredEvent, StoredSummary } from './storedChat.ts'

/*
 * The chats' log in IndexedDB. `events` is written with `add` alone: no entry is ever replaced, so no state of the
 * page, an empty one least of all, can overwrite what was said. `summaries` is derived and may be lost.
 */

const EVENTS = 'events'
const SUMMARIES = 'summaries'
const STORES = [EVENTS, SUMMARIES]

/** An open log of chats. */
export interface ChatLog {
  /**
   * Adds events to a chat's log, all or none, and returns them as written.
   *
   * @throws HycoraError `storage-full`, `storage-corrupt`.
   */
  append(chat: string, changes: readonly ChatChange[], at?: number): Promise<readonly ChatEvent[]>
  /**
   * Adds events as they stand, of one chat, all or none.
   *
   * @throws HycoraError `storage-full`, `storage-corrupt`.
   */
  restore(events: readonly ChatEvent[]): Promise<void>
  /** A chat's whole log; empty when there is none of this id. */
  events(chat: string): Promise<readonly ChatEvent[]>
  /** The chat folded from its log; undefined when there is none of this id. */
  read(chat: string): Promise<Chat | undefined>
  /** Every chat, deleted ones too, the most recently changed first. */
  list(): Promise<readonly ChatSummary[]>
  /** Removes the logs of deleted chats for good, and says how many. */
  eraseDeleted(): Promise<number>
  /** Calls back with the id of a chat that another tab changed; returns how to stop listening. */
  onForeignChange(listener: (chat: string) => void): () => void
  close(): void
}

/**
 * Opens the log.
 *
 * @throws HycoraError `storage-corrupt` when the browser refuses to open it.
 */
export async function openChatLog(name = 'hycora-chats'): Promise<ChatLog> {
  const database = await openDatabase(name)
  const channel = new BroadcastChannel(name)
  const announce = (chat: string): void => channel.postMessage(chat)
  // Another tab with a newer build wants to upgrade the database: let it.
  database.addEventListener('versionchange', () => database.close())

  const readEvents = async (chat: string): Promise<readonly ChatEvent[]> =>
    (await settled(eventsOf(database.transaction(EVENTS), chat))).map(eventFrom)

  const restore = async (events: readonly ChatEvent[]): Promise<void> => {
    const chats = new Set(events.map(({ chat }) => chat))
    const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' })
    for (const event of events) transaction.objectStore(EVENTS).add(storeEvent(event))
    for (const chat of chats) summarizeAgain(transaction, chat)
    await committed(transaction)
    for (const chat of chats) announce(chat)
  }

  return {
    async append(chat, changes, at = Date.now()) {
      const events = changes.map((change): ChatEvent => ({ ...change, version: 1, chat, at }))
      await restore(events)
      return events
    },
    restore,
    events: readEvents,
    async read(chat) {
      return foldChat(await readEvents(chat))
    },
    list: () => listChats(database),
    async eraseDeleted() {
      const transaction = database.transaction(STORES, 'readwrite', { durability: 'strict' })
      const erased: string[] = []
      const summaries: IDBRequest<StoredSummary[]> = transaction.objectStore(SUMMARIES).getAll()
      summaries.addEventListener('success', () => {
        for (const { id } of summaries.result.filter(({ deleted }) => deleted)) {
          erased.push(id)
          erase(transaction, id)
        }
      })
      await committed(transaction)
      for (const id of erased) announce(id)
      return erased.length
    },
    onForeignChange(listener) {
      const receive = ({ data }: MessageEvent<unknown>): void => {
        if (typeof data === 'string') listener(data)
      }
      channel.addEventListener('message', receive)
      return () => channel.removeEventListener('message', receive)
    },
    close() {
      channel.close()
      database.close()
    },
  }
}

/** All chats, the last first; what has no summary yet gets one. */
async function listChats(database: IDBDatabase): Promise<readonly ChatSummary[]> {
  const known = await settled<StoredSummary[]>(
    database.transaction(SUMMARIES).objectStore(SUMMARIES).getAll(),
  )
  const byId = new Map(known.map((summary) => [summary.id, summaryFrom(summary)]))
  const missing = (await chatIds(database)).filter((id) => !byId.has(id))
  if (missing.length > 0) {
    const transaction = database.transaction(STORES, 'readwrite')
    for (const id of missing) summarizeAgain(transaction, id, (summary) => byId.set(id, summary))
    await committed(transaction)
  }
  return [...byId.values()].toSorted((a, b) => b.updatedAt - a.updatedAt)
}

// What lies in these stores was written by `restore`; the fold ignores what it does not know.
function eventsOf(transaction: IDBTransaction, chat: string): IDBRequest<StoredEvent[]> {
  return transaction.objectStore(EVENTS).index('chat').getAll(chat)
}

/** Derives a chat's summary within the transaction that changes it, so that neither is ever without the other. */
function summarizeAgain(
  transaction: IDBTransaction,
  chat: string,
  tell: (summary: ChatSummary) => void = () => undefined,
): void {
  const events = eventsOf(transaction, chat)
  events.addEventListener('success', () => {
    const folded = foldChat(events.result.map(eventFrom))
    if (!folded) return
    const summary = summarize(folded)
    transaction.objectStore(SUMMARIES).put(storeSummary(summary))
    tell(summary)
  })
}

function erase(transaction: IDBTransaction, chat: string): void {
  transaction.objectStore(SUMMARIES).delete(chat)
  const cursors = transaction.objectStore(EVENTS).index('chat').openCursor(chat)
  cursors.addEventListener('success', () => {
    cursors.result?.delete()
    cursors.result?.continue()
  })
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1)
  request.addEventListener('upgradeneeded', () => {
    const events = request.result.createObjectStore(EVENTS, { autoIncrement: true })
    events.createIndex('chat', 'chat')
    request.result.createObjectStore(SUMMARIES, { keyPath: 'id' })
  })
  return settled(request)
}

/** The ids of all chats that have events, without reading the events. */
function chatIds(database: IDBDatabase): Promise<readonly string[]> {
  const ids: string[] = []
  const cursors = database
    .transaction(EVENTS)
    .objectStore(EVENTS)
    .index('chat')
    .openKeyCursor(null, 'nextunique')
  return new Promise((resolve, reject) => {
    cursors.addEventListener('error', () => reject(storageError(cursors.error)))
    cursors.addEventListener('success', () => {
      const cursor = cursors.result
      if (!cursor) {
        resolve(ids)
        return
      }
      if (typeof cursor.key === 'string') ids.push(cursor.key)
      cursor.continue()
    })
  })
}
