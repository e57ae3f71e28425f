import { foldChat, summarize } from './chat.ts'
import type { ChatLog } from './chatLog.ts'
import type { ChatEvent } from './records.ts'

/** A log of chats that lives as long as the page: for browsers that refuse storage, and for tests. */
export function openMemoryLog(): ChatLog {
  const logs = new Map<string, ChatEvent[]>()
  return {
    append(chat, changes, at = Date.now()) {
      const events = changes.map((change): ChatEvent => ({ ...change, version: 1, chat, at }))
      logs.set(chat, [...(logs.get(chat) ?? []), ...events])
      return Promise.resolve(events)
    },
    restore(events) {
      for (const event of events) logs.set(event.chat, [...(logs.get(event.chat) ?? []), event])
      return Promise.resolve()
    },
    events(chat) {
      return Promise.resolve(logs.get(chat) ?? [])
    },
    read(chat) {
      return Promise.resolve(foldChat(logs.get(chat) ?? []))
    },
    list() {
      const chats = [...logs.values()].map(foldChat).filter((chat) => chat !== undefined)
      return Promise.resolve(chats.map(summarize).toSorted((a, b) => b.updatedAt - a.updatedAt))
    },
    eraseDeleted() {
      const deleted = [...logs].filter(([, events]) => foldChat(events)?.deleted)
      for (const [id] of deleted) logs.delete(id)
      return Promise.resolve(deleted.length)
    },
    onForeignChange() {
      return () => undefined
    },
    close() {
      logs.clear()
    },
  }
}
