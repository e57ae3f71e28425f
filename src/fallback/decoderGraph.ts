import { asHycoraError, HycoraError } from '../core/errors.ts'
import type { ProjectionDims } from '../model/adapter/adapterLayout.ts'
import type { DecoderShape } from '../model/decoder/decoder.ts'
import type { OrtSession, OrtTensor } from './ortRuntime.ts'

/** A and B of every linear layer by the names of the graph's inputs. */
export type AdapterFeeds = Readonly<Record<string, OrtTensor>>

/** The chat that is answered, or the one that guidance leads away from. */
export type Sequence = 0 | 1

/** A decoder that onnxruntime runs, with the keys and values of what it has read. */
export interface DecoderGraph {
  readonly shape: DecoderShape
  /** The most positions that it can read. */
  readonly context: number
  /** The most tokens that one run reads well; between runs the signal is heard. */
  readonly chunkTokens: number
  /** Whether it can go back to any earlier position; else only to the beginning. */
  readonly canRewind: boolean
  /** Input and output width of each linear layer that takes an adapter; null where none does. */
  readonly adapted: Partial<ProjectionDims> | null
  /** Whether `runPair` reads the weights once. */
  readonly readsPairs: boolean
  /**
   * Reads `ids` behind the first `first` tokens that were read of a sequence before; what was read behind those is
   * forgotten. Where it cannot go back, `first` is 0 or the number of all that were read.
   *
   * @returns the logits [rows, vocabulary] of the tokens at `rows`, at least one row.
   * @throws HycoraError `out-of-memory`, or `shape-mismatch` with onnxruntime's words.
   */
  run(
    ids: readonly number[],
    first: number,
    rows: readonly number[],
    adapter: AdapterFeeds,
    sequence?: Sequence,
  ): Promise<Float32Array>
  /**
   * Reads one token of each sequence.
   *
   * @param bare A and B of nobody, where nobody plays in the second.
   * @returns the logits of either, [vocabulary].
   * @throws HycoraError as `run`.
   */
  runPair(
    ids: readonly [number, number],
    firsts: readonly [number, number],
    adapter: AdapterFeeds,
    bare?: AdapterFeeds,
  ): Promise<readonly [Float32Array, Float32Array]>
  /** Lets the second sequence have read what the first has, positions [first, end), behind what it has; where it can go back. */
  copy(first: number, end: number): void
  release(): void
}

/** So many tokens take long enough for a run to cost little beside them, and short enough to hear the signal. */
export const CHUNK_TOKENS = 64

/** Of onnxruntime's levels; a command's stderr is for its own errors. */
export const ERRORS_ONLY = 3

/**
 * Computes what the next tokens are read from.
 *
 * @throws HycoraError `out-of-memory`, or `shape-mismatch` with onnxruntime's words.
 */
export async function runStep(
  session: OrtSession,
  feeds: Readonly<Record<string, OrtTensor>>,
): Promise<Readonly<Record<string, OrtTensor>>> {
  return session.run(feeds).catch((error: unknown) => {
    throw runtimeError(error, 'onnxruntime could not compute the next token')
  })
}

/** onnxruntime tells its troubles in text alone. */
export function runtimeError(error: unknown, what: string): HycoraError {
  const { message } = asHycoraError(error, 'shape-mismatch')
  const code = /alloc|memory|oom/i.test(message) ? 'out-of-memory' : 'shape-mismatch'
  return new HycoraError(code, `${what}: ${message}`, { cause: error })
}
