import type { AnswerEnd, Turn } from '../core/dialogue.ts'
import type { PathChoice, PathRates } from '../core/path.ts'
import type { Length } from '../core/sampling.ts'

/*
 * What the page keeps between visits. Every record carries `version`; a reader leaves alone what a newer build wrote.
 *
 * A chat is not stored as a document but as the events that made it (`ChatEvent`), which are only ever added. `key` is what
 * identifies a member of the cast on this device (`CastMember`); `src/storage/storedChat.ts` has its name in what is written.
 */

/** How one answer came about: what is needed to explain it and, with a locked seed, to have it again. */
export interface Generation {
  readonly backbone: string
  /** Of the member that answered; null for the bare backbone. */
  readonly key: string | null
  readonly strength: number
  readonly seed: number
  readonly promptTokens: number
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly context: number
  readonly stop: AnswerEnd
}

/** One wording of a message. A message has at least one; alternate greetings and repeated answers are further takes. */
export interface Take {
  readonly id: string
  readonly text: string
  /** Milliseconds since 1970, like every `at`. */
  readonly at: number
  readonly generation: Generation | null
  /** What else the file that it came in says of it, as JSON, for an export to hand back; left out where nothing is. */
  readonly foreign?: string
}

/** A message as it enters a chat. */
export interface NewMessage {
  readonly id: string
  readonly speaker: Turn['speaker']
  /** The speaker's name at the time. */
  readonly name: string
  /** Of the member that spoke; null for the visitor and for the bare backbone. */
  readonly key: string | null
  /** Shown, but never sent to the model (SillyTavern's `is_system`). */
  readonly excluded: boolean
  readonly takes: readonly Take[]
  /** Index of the take that is shown. */
  readonly selected: number
  /** As of a take. */
  readonly foreign?: string
}

/** What a chat that came in a file says of itself there. */
export interface ChatSource {
  /** What the visitor and the character are called in it; empty where it does not say. */
  readonly user: string
  readonly character: string
  /** Its header without `chat_metadata`, as JSON, for an export to hand back. */
  readonly header: string
}

/** A lorebook that goes with a chat. */
export interface ChatBook {
  readonly name: string
  /** The text of its file, as it came. */
  readonly text: string
}

/** A note of the visitor's that goes among the messages. */
export interface ChatNote {
  readonly text: string
  /** Before the last so many messages; 0 is behind them all. */
  readonly depth: number
  /** With every so many of the visitor's messages. */
  readonly every: number
}

/**
 * Who speaks after the visitor: everybody, in their order; whoever is named, and others by how talkative they are; one of
 * those who have not spoken since; nobody but whom the visitor gives the word.
 */
export type TurnOrder = 'list' | 'natural' | 'pooled' | 'manual'

/** One of several who play in a chat. */
export interface GroupMember {
  /** Null where nobody of the cast is meant. */
  readonly key: string | null
  /** Their name at the time. */
  readonly name: string
  /** Speaks only when given the word. */
  readonly isMuted: boolean
  /** How often they speak up without being named, 0 to 1; null is as their card says. */
  readonly talkativeness: number | null
  /** What their card's file is called in the program that the group came from; left out where it came from none. */
  readonly file?: string
}

/** The cards of several as one, told to whoever of them speaks. */
export interface JoinedCards {
  /** Whether those who are muted are told of too. */
  readonly isWithMuted: boolean
  /** Before and behind each text of each card; macros and `<FIELDNAME>` unfilled. */
  readonly prefix: string
  readonly suffix: string
}

/** Several who play in one chat. */
export interface ChatGroup {
  /** Two to eight, in their order. */
  readonly members: readonly GroupMember[]
  readonly order: TurnOrder
  /** Whether whoever spoke last may be the one who answers. */
  readonly repliesToSelf: boolean
  /** Where they are and what happens, in place of their cards' scenarios; empty where those hold. Macros unfilled. */
  readonly scene: string
  /** Null or left out where whoever speaks is told their own card alone. */
  readonly joined?: JoinedCards | null
  /** Seconds of silence before somebody speaks, while they go on by themselves; left out, the usual. */
  readonly pause?: number
  /** The group as the program has it that it came from, as JSON, for an export to hand back; left out where it came from none. */
  readonly foreign?: string
}

/** What happened in a chat, in a few sentences. */
export interface ChatRecap {
  readonly text: string
  /** The last message that is in it. */
  readonly until: string
}

/** What can happen to a chat. */
export type ChatChange =
  | {
      readonly kind: 'chat-created'
      readonly key: string | null
      readonly title: string | null
      /** The chat and message that this one branched from. */
      readonly parent: { readonly chat: string; readonly message: string } | null
      /** Foreign metadata that an export hands back (SillyTavern's `chat_metadata`), as JSON. */
      readonly metadata: string | null
      /** Left out where the chat began here. */
      readonly source?: ChatSource
    }
  | { readonly kind: 'chat-titled'; readonly title: string }
  | { readonly kind: 'scene-changed'; readonly key: string | null; readonly strength: number }
  | { readonly kind: 'chat-deleted' }
  | { readonly kind: 'chat-restored' }
  | { readonly kind: 'message-added'; readonly message: NewMessage }
  | { readonly kind: 'take-added'; readonly message: string; readonly take: Take }
  | { readonly kind: 'take-selected'; readonly message: string; readonly take: string }
  | {
      readonly kind: 'take-edited'
      readonly message: string
      readonly take: string
      readonly text: string
      readonly generation: Generation | null
    }
  | { readonly kind: 'note-changed'; readonly note: ChatNote | null }
  | { readonly kind: 'facts-changed'; readonly facts: readonly string[] }
  | { readonly kind: 'recap-changed'; readonly recap: ChatRecap | null }
  | { readonly kind: 'books-changed'; readonly books: readonly ChatBook[] }
  | { readonly kind: 'persona-changed'; readonly persona: string | null }
  | { readonly kind: 'group-changed'; readonly group: ChatGroup | null }
  | { readonly kind: 'messages-deleted'; readonly messages: readonly string[] }
  | { readonly kind: 'messages-restored'; readonly messages: readonly string[] }

/** One entry of a chat's log. */
export type ChatEvent = ChatChange & { readonly version: 1; readonly chat: string; readonly at: number }

/** A chat in a list: derived from its events, so that it can be thrown away and built again. */
export interface ChatSummary {
  readonly version: 1
  readonly id: string
  /** Of the member that plays; null for the bare backbone. */
  readonly key: string | null
  readonly title: string
  /** The last words said, shortened. */
  readonly lastText: string
  readonly messages: number
  /** Whether the visitor has said anything yet. */
  readonly started: boolean
  readonly deleted: boolean
  readonly createdAt: number
  readonly updatedAt: number
  /** What its character is called in the file that it came in, where nobody of the cast plays. */
  readonly character?: string
  /** Who plays in it, where several do. */
  readonly company?: readonly Pick<GroupMember, 'key' | 'name'>[]
}

/** Somebody whom the visitor is in a chat. */
export interface Persona {
  readonly id: string
  readonly name: string
  /** What characters know of them; macros unfilled. */
  readonly description: string
}

/** How a character sounds when it is read aloud. */
export interface ReadingVoice {
  /** The address that the browser gives a voice of this device; null is the usual one for the language. */
  readonly voice: string | null
  /** Of the voice's own: 1 is as it is, 0.5 to 2. */
  readonly pitch: number
  readonly pace: number
}

/** What the page can speak, as BCP 47 tags. */
export type PageLanguage = 'en' | 'zh-Hans'

/** What the visitor has chosen; kept whole under one key. */
export interface Settings {
  readonly version: 1
  readonly theme: 'system' | 'light' | 'dark'
  /** What the page speaks; `system` is the first of the browser's languages that it can. */
  readonly language: 'system' | PageLanguage
  /** What the characters call the visitor. */
  readonly userName: string
  /** What characters know of the visitor under that name; macros unfilled. */
  readonly userDescription: string
  /** Whom else the visitor can be. */
  readonly personas: readonly Persona[]
  /** Which of them new chats begin with; null is the visitor under their own name. */
  readonly persona: string | null
  readonly mood: 'steady' | 'lively' | 'wild' | 'exact'
  /** How long answers are to be. */
  readonly length: Length
  /** How much of the card of somebody without weights is sent: as much as the model can hold, a line, or all of it. */
  readonly cardText: 'auto' | 'line' | 'card'
  /** The keys of those who stand first in the cast. */
  readonly favourites: readonly string[]
  /** How the others stand: as they came, as they were last talked to, by name. */
  readonly castOrder: 'cast' | 'recent' | 'name'
  /** Samplers that differ from the mood's, by name. */
  readonly overrides: Readonly<Record<string, number>>
  /** The seed of every answer; null takes a new one each time. */
  readonly lockedSeed: number | null
  readonly maxTokens: number
  /** Strings before which every answer ends; macros unfilled. */
  readonly stops: readonly string[]
  /** How characters sound, by key; those left out have the usual voice. */
  readonly voices: Readonly<Record<string, ReadingVoice>>
  /** Whether a screen reader is told the words as they come. */
  readonly announce: boolean
  /** Whether the note that the processor stands in for a graphics card has been put away. */
  readonly isSoftwareNoteRead: boolean
  /** The backbone of the served list to load; null is the first. */
  readonly backbone: string | null
  /** What computes: the graphics card, the processor, or whichever is found to answer faster. */
  readonly path: PathChoice
  /** Tokens a second as measured here, by model and graphics card, so that it is measured once. */
  readonly rates: Readonly<Record<string, PathRates>>
  /** The graphics card and browser that computed known answers rightly; they are not asked again. */
  readonly soundDevice: string | null
  /** The share of time that a training run may keep the graphics card busy, 0.1 to 1. */
  readonly duty: number
}
