import type { JsonRecord } from './json.ts'
import type { Remark } from './remarks.ts'

/** What an answer is asked for: the next one, another in place of one, or more of one. */
export type Occasion = 'next' | 'other' | 'more'

/** Whose words a text among the messages is; `system` are nobody's. */
export type NoteSpeaker = 'system' | 'user' | 'role'

/** A text that goes among the messages. */
export interface Note {
  /** Where it comes from. */
  readonly kind: 'depthPrompt' | 'authorsNote' | 'postHistory'
  /** Macros filled. */
  readonly text: string
  /** Before the last so many messages; 0 is behind them all. */
  readonly depth: number
  readonly speaker: NoteSpeaker
}

/** What stands before the chat, by what it is. */
export type ScriptText =
  | 'persona'
  | 'description'
  | 'personality'
  | 'scenario'
  | 'memory'
  | 'recap'
  | 'examples'

/** A lorebook that goes with a chat. */
export interface ScriptBook {
  /** What it is called where it does not say. */
  readonly name: string
  /** A card's book, or the text of a lorebook's own file, as it came. */
  readonly book: JsonRecord | string
}

/** All that a model with room for it is told beside the line of whoever plays. */
export interface Script {
  readonly names: {
    readonly user: string
    readonly character: string
    /** What is said of the visitor, macros filled; left out where nothing is. */
    readonly persona?: string
  }
  readonly tags: readonly string[]
  /** Macros filled. */
  readonly texts: Readonly<Partial<Record<ScriptText, string>>>
  readonly notes: readonly Note[]
  readonly books: readonly ScriptBook[]
  /** For people; only read where an entry asks for it. */
  readonly creatorNotes: string
  /** The greeting that the chat began with, counted from 0; null where it is not known. */
  readonly greeting: number | null
  readonly occasion: Occasion
  /** Of what is drawn by lot: the same chat draws the same. */
  readonly seed: number
}

/** An entry of a lorebook that is sent. */
export interface FiredEntry {
  readonly book: string
  readonly title: string
  /** Why, and where it stands. */
  readonly why: Remark
  readonly where: Remark
  readonly tokens: number
}

/** An entry that was called and is not sent. */
export interface PassedEntry {
  readonly book: string
  readonly title: string
  readonly why: Remark
}

/** What came of a script. */
export interface ScriptReport {
  readonly fired: readonly FiredEntry[]
  readonly passed: readonly PassedEntry[]
  /** What else should be told. */
  readonly notes: readonly Remark[]
}
