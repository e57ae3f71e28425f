import { check } from './errors.ts'

/**
 * How a token is chosen out of the logits. Neutral values: temperature 1, topK 0, topP 1, minP 0, repetitionPenalty 1,
 * guidance 0, roleGuidance 1,
 * endBonus 0. Temperature 0 is greedy.
 */
export interface Sampling {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
  readonly repetitionPenalty: number
  /** How many tokens back the repetition penalty looks. */
  readonly repetitionWindow: number
  /**
   * How much an answer keeps to its question: l + guidance·(l − l₀), where l₀ are the logits behind the same chat with
   * another last message.
   */
  readonly guidance: number
  /**
   * How much an answer is the role's and not the bare model's: base + roleGuidance·(role − base), base the logits behind the
   * same chat without an adapter. Other than 1, it takes the place of `guidance` for whoever has an adapter.
   */
  readonly roleGuidance: number
  /** What is added to the logits of the tokens that end a turn, behind a sentence's end. */
  readonly endBonus: number
  /** From how many tokens of an answer on. */
  readonly endAfter: number
  readonly seed: number
}

/**
 * Guidance leads to no token that is less than so many times as likely as the likeliest without it: what two readings differ by
 * says much of words that neither would say.
 *
 * Reference: Li et al., "Contrastive Decoding: Open-ended Text Generation as Optimization", 2023, section 3.3, with their α.
 */
export const LEAST_BEFORE_GUIDANCE = 0.1

/** The most likely token, always: for comparisons and tests. */
export const GREEDY: Sampling = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  repetitionWindow: 0,
  guidance: 0,
  roleGuidance: 1,
  endBonus: 0,
  endAfter: 0,
  seed: 0,
}

/** How long answers are to be: what their end is worth, and from how many tokens on. */
export const LENGTHS = {
  short: { endBonus: 4, endAfter: 3 },
  medium: { endBonus: 1, endAfter: 8 },
  free: { endBonus: 0, endAfter: 0 },
} as const
export type Length = keyof typeof LENGTHS

/** What characters answer with unless something else is chosen; how it was chosen, the page's moods say. */
export const STEADY: Omit<Sampling, 'seed'> = {
  temperature: 0.5,
  topK: 0,
  topP: 1,
  minP: 0.1,
  repetitionPenalty: 1.1,
  repetitionWindow: 32,
  guidance: 0.5,
  roleGuidance: 1,
  ...LENGTHS.medium,
}

/** The tokens of an answer at most, unless something else is chosen. */
export const ANSWER_TOKENS = 200

/** What each setting may be: [the setting, whether a value is in its range, the range in words]. */
const RANGES: readonly (readonly [keyof Sampling, (value: number) => boolean, string])[] = [
  ['temperature', (value) => value === 0 || (value >= 0.0001 && value <= 100), '0, or 0.0001 to 100'],
  ['topK', (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 24, 'an integer from 0'],
  ['topP', (value) => value >= 0 && value <= 1, '0 to 1'],
  ['minP', (value) => value >= 0 && value <= 1, '0 to 1'],
  ['repetitionPenalty', (value) => value > 0 && value <= 100, 'above 0, at most 100'],
  [
    'repetitionWindow',
    (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32,
    'an integer from 0',
  ],
  ['guidance', (value) => value >= 0 && value <= 10, '0 to 10'],
  ['roleGuidance', (value) => value >= 1 && value <= 10, '1 to 10'],
  ['endBonus', (value) => value >= 0 && value <= 100, '0 to 100'],
  ['endAfter', (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 24, 'an integer from 0'],
]

/**
 * Refuses settings that mean nothing.
 *
 * @throws HycoraError `usage` naming the first setting that lies outside of its range.
 */
export function checkSampling(sampling: Sampling): void {
  for (const [name, isInRange, expected] of RANGES) {
    const value = sampling[name]
    check(isInRange(value), 'usage', () => `${name} is ${value}, expected ${expected}`)
  }
}
