import type { Backbone, Casting } from './backbone.ts'
import { notNumbers } from './logits.ts'

/**
 * Log-probabilities of the marked tokens of a text, each given all tokens before it; the first token has none.
 *
 * @param isReply which of `ids` are asked for.
 * @returns [marked tokens].
 * @throws HycoraError `not-a-number` where the model computes none.
 */
export async function scoreTokens(
  backbone: Backbone,
  ids: readonly number[],
  isReply: readonly boolean[],
  casting: Casting | null,
): Promise<Float32Array> {
  const scores = await (backbone.score
    ? backbone.score(ids, isReply, casting)
    : scoreByLogits(backbone, ids, isReply, casting))
  if (scores.some(Number.isNaN)) throw notNumbers()
  return scores
}

async function scoreByLogits(
  backbone: Backbone,
  ids: readonly number[],
  isReply: readonly boolean[],
  casting: Casting | null,
): Promise<Float32Array> {
  const asked = askedTokens(ids, isReply)
  const logits = await backbone.logits(ids.slice(0, asked.at(-1)?.index ?? 0), casting)
  const { vocabulary } = backbone.shape
  return Float32Array.from(asked, ({ index, target }) => {
    return logProbability(logits.subarray((index - 1) * vocabulary, index * vocabulary), target)
  })
}

/** A token whose probability is asked for, and its position. */
export interface AskedToken {
  readonly index: number
  readonly target: number
}

/** The marked tokens but for the first of all, which nothing comes before. */
export function askedTokens(ids: readonly number[], isReply: readonly boolean[]): AskedToken[] {
  return ids.flatMap((target, index) => (index > 0 && isReply[index] ? [{ index, target }] : []))
}

/** `logits[target] − log Σ e^logits`. */
export function logProbability(logits: Float32Array, target: number): number {
  let highest = -Infinity
  for (const value of logits) highest = Math.max(highest, value)
  let sum = 0
  for (const value of logits) sum += Math.exp(value - highest)
  return (logits[target] ?? -Infinity) - highest - Math.log(sum)
}
