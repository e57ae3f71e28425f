// What goes with a chat beside its messages: note, facts, lorebooks, whom the visitor is. No state: `useChats` has it.
import type { Chat } from '../../../src/storage/chat.ts'
import type { ChatBook, ChatNote } from '../../../src/storage/records.ts'
import { notify } from '../page/notices.ts'
import { append, chatLog, useChats } from './chats.ts'
import { storeText } from '../../words/store.ts'

/** Gives a chat another note; an empty one is none. */
export async function changeNote(chat: Chat, note: ChatNote): Promise<void> {
  const changed = note.text.trim() === '' ? null : note
  if (JSON.stringify(changed) === JSON.stringify(chat.note)) return
  await append(chat.id, [{ kind: 'note-changed', note: changed }])
}

/** Changes what is kept in mind in a chat. */
export async function changeFacts(chat: Chat, facts: readonly string[]): Promise<void> {
  if (facts.join('\n') !== chat.facts.join('\n')) await append(chat.id, [{ kind: 'facts-changed', facts }])
}

/** Characters of a message that are kept in mind. */
const LONGEST_FACT = 300

/** Has what a message says kept in mind, and offers to take that back. */
export async function keepInMind(chat: Chat, text: string): Promise<void> {
  const { facts } = chat
  const fact = text.replaceAll('*', '').replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_FACT)
  if (fact === '' || facts.includes(fact)) return
  await append(chat.id, [{ kind: 'facts-changed', facts: [...facts, fact] }])
  notify(storeText('inMind'), () => append(chat.id, [{ kind: 'facts-changed', facts }]))
}

/** Lets the visitor be somebody else in a chat; null is themselves. */
export async function playAs(chat: Chat, persona: string | null): Promise<void> {
  if (persona !== chat.persona) await append(chat.id, [{ kind: 'persona-changed', persona }])
}

/** Lets a lorebook go with a chat; one of the same text and name is there once. */
export async function addBook(id: string, book: ChatBook): Promise<void> {
  const { open } = useChats.getState()
  const chat = open?.id === id ? open : await chatLog().read(id)
  if (!chat || chat.books.some(({ name, text }) => name === book.name && text === book.text)) return
  await append(id, [{ kind: 'books-changed', books: [...chat.books, book] }])
}

/** Takes a lorebook from a chat, and offers to take that back. */
export async function removeBook({ id, books }: Chat, book: ChatBook): Promise<void> {
  await append(id, [{ kind: 'books-changed', books: books.filter((one) => one !== book) }])
  notify(storeText('book.removed', { name: book.name }), () => append(id, [{ kind: 'books-changed', books }]))
}
