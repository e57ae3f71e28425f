/** Neutral values: temperature 1, topK 0, topP 1, minP 0, repetitionPenalty 1. Temperature 0 is greedy. */
export interface Sampling {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly repetitionPenalty: number
  /** How many tokens back the repetition penalty looks. */
  readonly repetitionWindow: number
  readonly seed: number
}

/** The most likely token, always: for comparisons and tests. */
export const GREEDY: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  repetitionWindow: 0,
  seed: 0,
}
