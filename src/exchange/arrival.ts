import type { Remark } from '../core/remarks.ts'
import type { Failure } from '../core/errors.ts'
import type { JsonRecord } from '../core/json.ts'
import type { GroupFile } from '../formats/groupFile.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { PackBackbone } from '../formats/pack.ts'
import type { RoleFacts } from '../formats/packFacts.ts'

/** A file that came in, under its path where it lay in a folder. */
export interface ArrivingFile {
  readonly path: string
  readonly file: Blob
}

/** What is told of every file before it is accepted. */
interface Found {
  readonly fileName: string
  readonly bytes: number
  /** Of the file as it came, lower-case hexadecimal. */
  readonly sha256: string
  /** In sentences. */
  readonly warnings: readonly string[]
}

/** A persona pack, alone, within a CHARX, or made of a LoRA's folder or of a link. */
export interface PackArrival extends Found {
  readonly kind: 'pack'
  readonly form: 'pack' | 'charx' | 'peft' | 'mlx' | 'link'
  /** The pack as it is to be kept. */
  readonly file: Blob
  readonly backbone: PackBackbone
  readonly rank: number
  readonly layers: number
  readonly roles: readonly RoleFacts[]
  /** Pictures that came beside the pack, by role. */
  readonly portraits: ReadonlyMap<string, Blob>
  readonly provenance: JsonRecord
  /** As the file states it; empty where it states none. */
  readonly licence: string
}

/** A character card, by whose text any model can play. */
export interface CardArrival extends Found {
  readonly kind: 'card'
  readonly spec: 'v1' | 'v2' | 'v3'
  /** Whose form the file has, where that is another program's own. */
  readonly program: string | null
  readonly card: CharacterCard
  /** The `data` of V3 that the card was read from, to be kept. */
  readonly data: JsonRecord
  /** The whole object of the file. */
  readonly original: JsonRecord
  /** Further files that came with it, by path. */
  readonly assets: ReadonlyMap<string, Blob>
  readonly portrait: Blob | null
}

/** Chats, of SillyTavern or of another program. */
export interface ChatArrival extends Found {
  readonly kind: 'chat'
  readonly file: Blob
  readonly program: string
  /** As the file has the names; empty where it has none. */
  readonly character: string
  readonly user: string
  readonly chats: number
  /** Of all chats. */
  readonly messages: number
}

/** Lines to learn from. */
export interface LinesArrival extends Found {
  readonly kind: 'lines'
  readonly file: Blob
  /** 0 where the columns of a table are still to be named. */
  readonly dialogues: number
}

/** A lorebook, to go with a character or a chat. */
export interface LoreArrival extends Found {
  readonly kind: 'lore'
  readonly program: string
  /** What it is called: as it says, else as its file. */
  readonly name: string
  readonly entries: number
  readonly book: JsonRecord
  /** The file's own text, to be kept. */
  readonly text: string
  /** What of it is not done here, in sentences. */
  readonly unmet: readonly Remark[]
}

/** Several who play in one chat, as SillyTavern keeps them beside the chat itself. */
export interface GroupArrival extends Found {
  readonly kind: 'group'
  readonly group: GroupFile
  /** The file's own text, to be kept. */
  readonly text: string
}

/** Everything that somebody had on a device, its sums checked. */
export interface BackupArrival extends Found {
  readonly kind: 'backup'
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly software: string
  readonly parts: readonly {
    readonly kind: 'pack' | 'role' | 'chat' | 'settings'
    readonly name: string
    readonly file: Blob
    readonly details: JsonRecord | null
  }[]
}

export type Arrival =
  | PackArrival
  | CardArrival
  | ChatArrival
  | LinesArrival
  | LoreArrival
  | GroupArrival
  | BackupArrival

/** What is loaded, for adapters that do not say what they are for. */
export type ArrivingBackbone = PackBackbone & {
  readonly layers: number
  /** Numbers of a token's state; left out where it is not known. */
  readonly hidden?: number
}

/** A file of which nothing was used. */
export interface Refusal extends Failure {
  readonly fileName: string
}

/** What somebody lacks who opens a link to a role. */
export interface LinkMissing {
  readonly kind: 'missing'
  readonly name: string
  readonly missing: 'pack' | 'backbone'
  /** The first 16 digits of the fingerprint of the backbone that it is for; empty where the link does not say. */
  readonly backbone: string
}

/** What came of the files that came in; each was taken or refused by itself. */
export interface Arrivals {
  readonly arrivals: readonly Arrival[]
  readonly refusals: readonly Refusal[]
}
