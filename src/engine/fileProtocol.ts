import type { ErrorCode } from '../core/errors.ts'
import type { JsonRecord } from '../core/json.ts'
import type { CharacterCard } from '../formats/card.ts'
import type { PackBackbone } from '../formats/pack.ts'
import type { PackFile, RoleFacts } from '../formats/packFacts.ts'
import type { BlendPart } from '../formats/packRoles.ts'

/*
 * What the page asks the worker that reads and writes files. One worker a question: it is ended with it, or when its time
 * is up, so that no file can hold the page or the engine up. Types only.
 */

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

/** A persona pack, alone, within a CHARX, or made of a PEFT folder or of a link. */
export interface PackArrival extends Found {
  readonly kind: 'pack'
  readonly form: 'pack' | 'charx' | 'peft' | 'link'
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
  readonly card: CharacterCard
  /** The `data` of V3 that the card was read from, to be kept. */
  readonly data: JsonRecord
  /** The whole object of the file. */
  readonly original: JsonRecord
  /** Further files that came with it, by path. */
  readonly assets: ReadonlyMap<string, Blob>
  readonly portrait: Blob | null
}

/** A chat, or lines to learn from, for which there are other places. */
export interface OtherArrival extends Found {
  readonly kind: 'chat' | 'lines'
  readonly file: Blob
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

export type Arrival = PackArrival | CardArrival | OtherArrival | BackupArrival

/** A file of which nothing was used. */
export interface Refusal {
  readonly fileName: string
  readonly code: ErrorCode
  readonly message: string
}

/** What somebody lacks who opens a link to a role. */
export interface LinkMissing {
  readonly kind: 'missing'
  readonly name: string
  readonly missing: 'pack' | 'backbone'
  /** The first 16 digits of the fingerprint of the backbone that it is for; empty where the link does not say. */
  readonly backbone: string
}

export type ShareForm = 'role' | 'pack' | 'charx' | 'png' | 'json' | 'link' | 'peft' | 'gguf'

export interface ShareParams {
  /** Null for somebody who plays by a text alone. */
  readonly pack: PackFile | null
  /** A role of the pack. */
  readonly role: string | null
  readonly name: string
  /** The cards of the pack's roles where the page knows better ones, by role. */
  readonly cards: ReadonlyMap<string, JsonRecord>
  /** The card of whoever is shared. */
  readonly card: JsonRecord | null
  /** The object that the card came in, and the files that came with it. */
  readonly original: JsonRecord | null
  readonly assets: ReadonlyMap<string, Blob>
  /** A PNG. */
  readonly portrait: Blob | null
  /** The pack that comes with the model, which everybody has. */
  readonly home: PackFile | null
  /** The size of one attention head of the backbone; null where it is not known. */
  readonly headDim: number | null
}

/** One form that somebody can be handed on in, or why not. */
export type SharedForm =
  | {
      readonly form: ShareForm
      readonly name: string
      readonly file: Blob
      /** Of a link: what it takes to follow it. */
      readonly takes: 'model' | 'pack'
    }
  | { readonly form: ShareForm; readonly reason: string }

export interface BlendParams {
  readonly pack: PackFile
  readonly name: string
  readonly system: string | null
  readonly card: JsonRecord | null
  readonly parts: readonly BlendPart[]
}

export interface FileRequests {
  /** Reads whatever was dropped, chosen or pasted; each file is taken or refused by itself. */
  arrive: {
    params: {
      readonly files: readonly ArrivingFile[]
      /** What is loaded, for adapters that do not say what they are for; null where nothing is. */
      readonly backbone: (PackBackbone & { readonly layers: number }) | null
    }
    yields: never
    returns: { readonly arrivals: readonly Arrival[]; readonly refusals: readonly Refusal[] }
  }
  /** Reads a link to a role, and makes a pack of it where one of `packs` is what it needs. */
  follow: {
    params: { readonly text: string; readonly packs: readonly PackFile[] }
    yields: never
    returns: PackArrival | LinkMissing
  }
  /** Writes every form that somebody can be handed on in. */
  share: { params: ShareParams; yields: SharedForm; returns: null }
  /** A pack of a blend and the roles that it mixes. */
  blend: { params: BlendParams; yields: never; returns: Blob }
}

export type FileRequestKind = keyof FileRequests

export type ToFileWorker = {
  [K in FileRequestKind]: { readonly kind: K; readonly params: FileRequests[K]['params'] }
}[FileRequestKind]

export type FromFileWorker =
  | { readonly kind: 'yield'; readonly value: unknown }
  | { readonly kind: 'return'; readonly value: unknown }
  | { readonly kind: 'throw'; readonly code: ErrorCode; readonly message: string }
