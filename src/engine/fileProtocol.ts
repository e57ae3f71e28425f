import type { Failure } from '../core/errors.ts'
import type { DecodedText } from '../core/text.ts'
import type {
  Arrivals,
  ArrivingBackbone,
  ArrivingFile,
  LinkMissing,
  PackArrival,
} from '../exchange/arrival.ts'
import type { BlendParams, SharedForm, ShareParams } from '../exchange/share.ts'
import type { TrainingKit } from '../exchange/trainingKit.ts'
import type { PackFile } from '../formats/packFacts.ts'

/*
 * What the page asks the worker that reads and writes files. One worker a question: it is ended with it, or when its time
 * is up, so that no file can hold the page or the engine up. Types only.
 */

export interface FileRequests {
  /** Reads whatever was dropped, chosen or pasted; each file is taken or refused by itself. */
  arrive: {
    params: {
      readonly files: readonly ArrivingFile[]
      readonly backbone: ArrivingBackbone | null
    }
    yields: never
    returns: Arrivals
  }
  /** Reads a file as lines that can be learnt: its own text, or what the characters in it have said. */
  lines: { params: { readonly given: ArrivingFile }; yields: never; returns: DecodedText }
  /** Reads a link to a role, and makes a pack of it where one of `packs` is what it needs. */
  follow: {
    params: { readonly text: string; readonly packs: readonly PackFile[] }
    yields: never
    returns: PackArrival | LinkMissing
  }
  /** Writes every form that somebody can be handed on in. */
  share: { params: ShareParams; yields: SharedForm; returns: null }
  /** A picture as a PNG of its pixels alone; null where it is none that is read. */
  picture: { params: { readonly file: Blob }; yields: never; returns: Blob | null }
  /** A pack of a blend and the roles that it mixes. */
  blend: { params: BlendParams; yields: never; returns: Blob }
  /** The zip for training on another machine. */
  kit: { params: TrainingKit; yields: never; returns: Blob }
}

export type FileRequestKind = keyof FileRequests

export type ToFileWorker = {
  [K in FileRequestKind]: { readonly kind: K; readonly params: FileRequests[K]['params'] }
}[FileRequestKind]

export type FromFileWorker =
  | { readonly kind: 'yield'; readonly value: unknown }
  | { readonly kind: 'return'; readonly value: unknown }
  | ({ readonly kind: 'throw' } & Failure)
