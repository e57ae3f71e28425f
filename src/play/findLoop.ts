/** The longest stretch that is looked for; a loop of whole paragraphs is longer than an answer. */
const LONGEST = 96

/** So many tokens must have come again, in whole repetitions, before it counts: names and refrains are shorter. */
const REPEATED_TOKENS = 16

/**
 * Where an answer began to say the same over and over: its end is one stretch of tokens, again and again, word for word.
 * A sentence of 16 tokens or more counts when it comes the second time, a single word when it comes the seventeenth.
 * Nothing is forbidden, so names may be said as often as there is something else to say of them.
 *
 * @returns how many tokens stand before the first repetition, or null where the end repeats nothing.
 */
export function findLoop(tokens: readonly number[]): number | null {
  for (let period = 1; period <= Math.min(LONGEST, tokens.length / 2); period++) {
    const start = tokens.length - period * Math.ceil(REPEATED_TOKENS / period)
    if (start < period) continue
    const isRepeated = tokens.slice(start).every((token, index) => token === tokens[start + index - period])
    if (isRepeated) return start
  }
  return null
}
