/** The same decoder in onnxruntime, greedy. */
export interface Rival {
  readonly name: string
  /** Logits [tokens, vocabulary] of a prompt. */
  logits(ids: readonly number[]): Promise<Float32Array>
  /** Reads a prompt; resolves when its cache is computed. */
  prefill(ids: readonly number[]): Promise<void>
  /** Streams the most likely tokens, the cache fed back as it comes. */
  generate(ids: readonly number[], count: number): AsyncGenerator<number>
  release(): Promise<void>
}

/** Tokens whose logits are compared before anything is timed. */
export const CHECKED_TOKENS = 24

/** How far logits may be apart: the rival multiplies halves in half precision and 4-bit codes with rounded activations. */
export function toleranceOf(type: string): number {
  return /^f32\b/.test(type) && !/head/.test(type) ? 1e-6 : 1e-3
}
