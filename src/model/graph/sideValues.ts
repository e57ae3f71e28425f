import type { OnnxTensor } from '../../formats/onnxTensor.ts'
import type { Entry } from './dimension.ts'

/**
 * How angles, cosines or sines [.., pairs] are laid out for the dimensions of a head: once for each pair; all of them
 * twice, for halves; or each twice, for neighbours, on the way to which they are columns [.., pairs, 1], then [.., pairs, 2].
 */
export type Spread = 'single' | 'halves' | 'columns' | 'twins' | 'neighbours'

/** What is known of a value that carries no hidden data. */
export type SideRole =
  | { readonly kind: 'opaque' }
  /** Positions of tokens, plus a number. */
  | { readonly kind: 'position'; readonly shift: number }
  /** What a token sees, or what it does not: so many tokens back at most, itself included. */
  | { readonly kind: 'mask'; readonly window: number }
  /** Whether a text has more tokens than so many. */
  | { readonly kind: 'longer'; readonly than: number }
  | { readonly kind: 'frequencies'; readonly tensor: OnnxTensor }
  | { readonly kind: 'angles'; readonly tensor: OnnxTensor; readonly spread: Spread }
  | {
      readonly kind: 'cosine' | 'sine'
      /** Frequencies, or the table of turns that it is a column of. */
      readonly tensor: OnnxTensor
      readonly isOfTurns: boolean
      readonly spread: Spread
      readonly scale: number
    }
  | { readonly kind: 'table'; readonly tensor: OnnxTensor }
  /** A cosine and a sine beside each other, [.., pairs, 2]: rows of a stored table, or of frequencies. */
  | {
      readonly kind: 'turns'
      readonly tensor: OnnxTensor
      readonly isOfTurns: boolean
      readonly scale: number
    }

/** Positions, masks, sizes and the like: derived from anything but the token embeddings and the cache. */
export interface SideValue {
  readonly kind: 'side'
  readonly role: SideRole
  readonly dims: readonly Entry[] | null
}

/** A side value of which nothing is known. */
export const OPAQUE: SideValue = { kind: 'side', role: { kind: 'opaque' }, dims: null }
