import { distinct } from '../../core/remarks.ts'
import type { Remark } from '../../core/remarks.ts'
import type { Script } from '../../core/script.ts'
import type { Lorebook } from '../../formats/lore/lorebook.ts'
import { bookOfText } from '../../formats/lore/loreFile.ts'
import { readLorebook } from '../../formats/lore/readLorebook.ts'
import { activate, candidatesOf } from './activate.ts'
import type { ActivatedLore, LoreScene } from './activate.ts'
import { KeySearch } from './keys.ts'
import type { Callable } from './callable.ts'
import { isTimed, phaseOf } from './times.ts'
import type { Times } from './times.ts'

/** Steps that all keys of one answer take at most, and those of the answers before it. */
const MOST_STEPS = 2 ** 20
/** Answers that are gone through for what stays and rests. */
const MOST_ANSWERS = 256

/** Books that were read, by what they were read from: a card's has hundreds of entries, and stays the same for a chat. */
const read = new WeakMap<object, { readonly name: string; readonly book: Lorebook }>()

/** The books of a script, read. */
export function booksOf({ books }: Script): readonly Lorebook[] {
  return books.map(({ name, book }) => {
    if (typeof book === 'string') return readLorebook(bookOfText(book), name)
    const known = read.get(book)
    if (known?.name === name) return known.book
    const fresh = readLorebook(book, name)
    read.set(book, { name, book: fresh })
    return fresh
  })
}

/** What of lorebooks is sent, and what is told of it. */
export interface Lore extends ActivatedLore {
  readonly faults: readonly Remark[]
}

/**
 * The entries that a chat calls. What stays or rests after an earlier call is found by going through the answers before this
 * one: so it follows from the chat alone, and is right in a branch of it, and after something was taken back.
 */
export function loreOf(scene: LoreScene): Lore {
  const candidates = candidatesOf(scene.books)
  const search = new KeySearch(MOST_STEPS)
  const times = candidates.some(isTimed) ? timesBefore(scene, candidates) : undefined
  const found = activate(scene, candidates, search, times)
  const unmet = scene.books.flatMap((book) => book.unmet)
  return { ...found, faults: distinct([...unmet, ...search.faults]) }
}

/** When entries were called in the answers before this one. */
function timesBefore(scene: LoreScene, candidates: readonly Callable[]): Times {
  const { turns } = scene
  const search = new KeySearch(MOST_STEPS)
  const times = new Map<string, number>()
  const firstAsked = turns.findIndex(({ speaker }) => speaker === 'user')
  const answered = turns.flatMap(({ speaker }, index) =>
    speaker === 'role' && firstAsked >= 0 && index > firstAsked ? [index] : [],
  )
  for (const messages of answered.slice(-MOST_ANSWERS)) {
    const before = { ...scene, turns: turns.slice(0, messages), isFull: () => false }
    const { activated } = activate(before, candidates, search, times)
    for (const { candidate } of activated) {
      if (isTimed(candidate) && phaseOf(candidate, times, messages) === 'free') {
        times.set(candidate.id, messages)
      }
    }
  }
  return times
}
