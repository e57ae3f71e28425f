import type { CardProgress, CardRequest } from './measureCard.ts'
import type { CardModelName, CardResult } from '../core/cardResult.ts'
import type { Failure } from '../core/errors.ts'

/*
 * What the page asks the worker that measures the graphics card: one question, then its worker is ended. Types only.
 */

export interface ToBenchWorker {
  readonly request: CardRequest
  /** The files of the served models that are wanted, by path in the model's folder. */
  readonly files: ReadonlyMap<CardModelName, ReadonlyMap<string, Blob>>
  readonly commit: string
}

export type FromBenchWorker =
  | { readonly kind: 'yield'; readonly value: CardProgress }
  | { readonly kind: 'return'; readonly value: CardResult }
  | ({ readonly kind: 'throw' } & Failure)
