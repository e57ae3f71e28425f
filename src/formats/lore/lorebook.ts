import type { Remark } from '../../core/remarks.ts'
import type { NoteSpeaker, Occasion } from '../../core/script.ts'

/** How secondary keys decide, once a key was found. */
export type LoreLogic = 'any' | 'all' | 'notAny' | 'notAll'

/** Where an entry stands in what is sent. */
export type LorePlace =
  | {
      readonly kind:
        | 'before'
        | 'after'
        | 'beforeDescription'
        | 'afterDescription'
        | 'personality'
        | 'scenario'
        | 'beforeExamples'
        | 'afterExamples'
        | 'aboveNote'
        | 'belowNote'
        | 'outlet'
    }
  /** Before the last `depth` messages. */
  | { readonly kind: 'depth'; readonly depth: number; readonly speaker: NoteSpeaker }

/** Texts beside the chat in which keys may be looked for. */
export type LoreSource =
  | 'persona'
  | 'description'
  | 'personality'
  | 'depthPrompt'
  | 'scenario'
  | 'creatorNotes'

/** An entry of a lorebook, whatever form it came in. */
export interface LoreEntry {
  /** What people call it; empty where it has neither name nor key. */
  readonly title: string
  /** Without its decorators. */
  readonly content: string
  readonly isEnabled: boolean

  readonly keys: readonly string[]
  /** What keys of it weigh, where its book says so; every other one weighs the more, the fewer entries have it. */
  readonly keyWeights: ReadonlyMap<string, number>
  /** Stems of words with what they weigh: where there are any, they call it in place of the keys, which other programs read. */
  readonly stems: ReadonlyMap<string, number>
  /** Which of its book's sets it belongs to. */
  readonly set: string
  readonly secondaryKeys: readonly string[]
  readonly logic: LoreLogic
  /** One of each of these must be found too. */
  readonly additionalKeys: readonly (readonly string[])[]
  readonly excludedKeys: readonly string[]
  /** Whether keys are regular expressions without slashes around them. */
  readonly arePatterns: boolean
  readonly isCaseSensitive: boolean
  readonly isWholeWords: boolean
  /** Messages in which keys are looked for; null leaves it to the book. */
  readonly scanDepth: number | null
  readonly sources: readonly LoreSource[]

  readonly isConstant: boolean
  readonly isForced: boolean
  readonly isForbidden: boolean
  /** In percent. */
  readonly probability: number
  readonly occasions: readonly Occasion[]
  readonly characters: LoreCharacters | null
  /** The greeting that the chat must have begun with, counted from 0. */
  readonly greeting: number | null
  /** Answers of the character that must have been given; and what their number must be a multiple of. */
  readonly onlyAfter: number
  readonly onlyEvery: number
  /** Messages that there must be. */
  readonly delay: number
  /** Messages for which it stays, and for which it then rests. */
  readonly sticky: number
  readonly cooldown: number
  readonly staysOnce: boolean
  readonly comesOnce: boolean

  readonly isUnreachable: boolean
  readonly isSilent: boolean
  /** 0 is found in the chat; from 1 on only by what other entries say, the lower levels first. */
  readonly recursionLevel: number

  readonly groups: readonly string[]
  readonly isGroupFirst: boolean
  readonly groupWeight: number
  readonly scoresGroup: boolean

  /** The higher, the further down. */
  readonly order: number
  /** The lower, the sooner left out; null follows the order. */
  readonly priority: number | null
  readonly ignoresBudget: boolean
  /** Whether it goes first where the chat has outgrown the context. */
  readonly yields: boolean
  readonly place: LorePlace
  /** Whether the card's instructions behind the chat are left out while it is there. */
  readonly silencesHistory: boolean
}

/** Whom an entry is for. */
export interface LoreCharacters {
  readonly isExcluding: boolean
  readonly names: readonly string[]
  readonly tags: readonly string[]
}

/** What a book asks of entries that are called beside one another. */
export interface LoreSet {
  /** How much of what calls the entry that is called most must call another, that it is sent too: 0 to 1; 0 is anything. */
  readonly leastShare: number
  /** What the keys of an entry that were found must weigh together, that it is sent; 0 is anything. */
  readonly leastWeight: number
  /** How many of them are sent. */
  readonly most: number
  /**
   * How much it counts that a message says other things, too: what stems weigh that call an entry is multiplied by their
   * share of what the message says, to this power; 0 leaves it.
   */
  readonly heed: number
}

/** Entries that go with a character or a chat. */
export interface Lorebook {
  /** Empty where it has none. */
  readonly name: string
  readonly scanDepth: number | null
  /** In tokens. */
  readonly tokenBudget: number | null
  /** By name, one for entries that name none. */
  readonly sets: ReadonlyMap<string, LoreSet>
  /** Whether what an entry says may call others. */
  readonly isRecursive: boolean
  readonly entries: readonly LoreEntry[]
  /** What of it is not done here, each once. */
  readonly unmet: readonly Remark[]
}
