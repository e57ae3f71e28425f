// What chats are called on the page. No state.
import { NAMELESS } from '../../../src/storage/chat.ts'
import { storeText } from '../../words/store.ts'

/** A chat's title, as it is kept, in the words of the page. */
export function shownTitle(title: string): string {
  return title === NAMELESS ? storeText('chat.nameless') : title
}
