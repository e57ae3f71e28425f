import type { StopReason } from '../../core/dialogue.ts'
import type { Sampling } from '../../core/sampling.ts'
import type { Pack } from '../../formats/pack.ts'
import type { Chorus } from './chorus.ts'
import type { DecoderShape } from './decoder.ts'

/** Who plays: roles of the attached pack mixed by weight (one role of weight 1, or a blend), at a strength. */
export interface Casting {
  readonly parts: readonly { readonly role: number; readonly weight: number }[]
  /** 1 is the trained strength. */
  readonly strength: number
}

/** The tokens behind which a sentence is over, and those that end a turn. */
export interface TokenEnds {
  readonly sentence: ReadonlySet<number>
  readonly turn: readonly number[]
}

export interface GenerateRequest {
  /** The whole prompt; what of it is already in the cache is not computed again. */
  readonly ids: readonly number[]
  /** null is the bare backbone. */
  readonly casting: Casting | null
  readonly sampling: Sampling
  /** The whole prompt that guidance to the question leads away from; without it there is none, see `leadingOf`. */
  readonly beside?: readonly number[]
  /** Tokens behind which the bonus of the end counts. */
  readonly sentenceEnds?: ReadonlySet<number>
  readonly maxTokens: number
  /** Tokens that end the answer; they are not yielded. */
  readonly stopIds: readonly number[]
  readonly signal?: AbortSignal
}

/** Who reads, and how long a text may become. */
export interface ChorusRequest {
  /** Of each reading; null is the bare backbone. */
  readonly castings: readonly (Casting | null)[]
  readonly capacity: number
}

/** What a backbone takes of a graphics card's memory; nothing on the processor's path. */
export interface GpuBytes {
  readonly weights: number
  readonly cache: number
  readonly adapter: number
  readonly workspace: number
}

/** A language model that roles play on, whatever computes it. */
export interface Backbone {
  readonly shape: DecoderShape
  /** The most tokens that prompt and answer may have together. */
  readonly context: number
  /** Whether an answer with guidance comes with more than half the speed of one without. */
  readonly affordsGuidance: boolean
  gpuBytes(): GpuBytes
  /**
   * Makes a pack's roles playable, or none with null; the previous pack stays until the new one is ready.
   *
   * @throws HycoraError `model-incompatible` when the pack's shapes are not the backbone's.
   */
  attach(pack: Pack | null): Promise<void>
  /** Logits [tokens, vocabulary] of every token, computed from an empty cache in chunks. */
  logits(ids: readonly number[], casting: Casting | null): Promise<Float32Array>
  /** What `scoreTokens` asks for, where an engine can give it without reading logits back. */
  score?(ids: readonly number[], isReply: readonly boolean[], casting: Casting | null): Promise<Float32Array>
  /** Feeds one token after what is in the cache; its logits [vocabulary]. */
  step(id: number): Promise<Float32Array>
  /**
   * Makes room for several texts that are read at once, where an engine can and they find room; null else.
   *
   * @throws HycoraError as `Adapter.slotFor`.
   */
  openChorus?(request: ChorusRequest): Promise<Chorus | null>
  /** Streams token ids. */
  generate(request: GenerateRequest): AsyncGenerator<number, StopReason>
  destroy(): void
}
