import type { Remark } from '../../core/remarks.ts'
import type { LoreEntry, Lorebook } from '../../formats/lore/lorebook.ts'

/** An entry with its book, and what it is called by in reckoning. */
export interface Callable {
  readonly id: string
  /** Its place among all entries. */
  readonly index: number
  readonly entry: LoreEntry
  readonly book: Lorebook
}

/** An entry that is called in one round, before it is known whether it is sent. */
export interface Called {
  readonly candidate: Callable
  readonly why: Remark
  /** How many of its keys were found. */
  readonly score: number
  /** How much those say: a key that few entries of its book have says more. */
  readonly weight: number
  /** Whether it stays from an earlier call. */
  readonly isSticky: boolean
}
