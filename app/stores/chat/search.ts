// Scope: session. What is searched for in all chats, and where it was found.
import { create } from 'zustand'

import { excerptOf, findWords, wordsIn } from '../../../src/core/textSearch.ts'
import type { ExcerptPiece } from '../../../src/core/textSearch.ts'
import type { Chat } from '../../../src/storage/chat.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import type { ChatSummary } from '../../../src/storage/records.ts'
import { findMember, useCast } from '../company/cast.ts'
import { visitorIn } from '../page/visitor.ts'
import { chatLog, useChats } from './chats.ts'
import { chatNames, wordsOf } from './scene.ts'

/** A message in which all words were found. */
export interface FoundMessage {
  readonly id: string
  /** Who said it. */
  readonly name: string
  readonly excerpt: readonly ExcerptPiece[]
}

/** A chat in whose title, or in some of whose messages, all words were found. */
export interface FoundChat {
  readonly summary: ChatSummary
  /** The last said first, at most `MOST_SHOWN`. */
  readonly messages: readonly FoundMessage[]
  readonly count: number
}

interface SearchState {
  readonly query: string
  readonly found: readonly FoundChat[]
  readonly isSearching: boolean
}

export const useSearch = create<SearchState>()(() => ({ query: '', found: [], isSearching: false }))

/** Messages that are shown of one chat. */
const MOST_SHOWN = 5

interface ReadMessage {
  readonly id: string
  readonly name: string
  readonly text: string
}

/** The chats as they were read, so that each letter more reads none of them again. */
const read = new Map<string, { readonly updatedAt: number; readonly messages: readonly ReadMessage[] }>()

let controller: AbortController | undefined

/** Looks for words in all chats, the last one first, and shows each as it is found. */
export async function searchFor(query: string): Promise<void> {
  controller?.abort()
  controller = new AbortController()
  const { signal } = controller
  const words = wordsIn(query)
  useSearch.setState({ query, found: [], isSearching: words.length > 0 })
  if (words.length === 0) return
  for (const summary of useChats.getState().summaries) {
    if (summary.deleted) continue
    const messages = await messagesOf(summary)
    if (signal.aborted) return
    const found = lookThrough(summary, messages, words)
    if (found) useSearch.setState((state) => ({ found: [...state.found, found] }))
  }
  useSearch.setState({ isSearching: false })
}

function lookThrough(
  summary: ChatSummary,
  messages: readonly ReadMessage[],
  words: readonly string[],
): FoundChat | null {
  const hits = messages.flatMap((message) => {
    const ranges = findWords(message.text, words)
    return ranges ? [{ message, ranges }] : []
  })
  if (hits.length === 0 && !(summary.started && findWords(summary.title, words))) return null
  const shown = hits.toReversed().slice(0, MOST_SHOWN)
  return {
    summary,
    count: hits.length,
    messages: shown.map(({ message: { id, name, text }, ranges }) => {
      return { id, name, excerpt: excerptOf(text, ranges) }
    }),
  }
}

async function messagesOf({ id, updatedAt }: ChatSummary): Promise<readonly ReadMessage[]> {
  const known = read.get(id)
  if (known?.updatedAt === updatedAt) return known.messages
  // One that cannot be read is not found; the list of chats says why.
  const chat = await chatLog()
    .read(id)
    .catch(() => undefined)
  const messages = chat ? readMessages(chat) : []
  read.set(id, { updatedAt, messages })
  return messages
}

/** The messages of a chat as they are read on the screen. */
function readMessages(chat: Chat): readonly ReadMessage[] {
  const names = chatNames(chat, findMember(useCast.getState().members, chat.key), visitorIn(chat))
  return visibleMessages(chat).map((message) => ({
    id: message.id,
    name: message.name || names.character,
    text: wordsOf(selectedTake(message), message, chat, names).replaceAll(/\s+/g, ' '),
  }))
}
