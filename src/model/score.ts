import type { Backbone, Casting } from './backbone.ts'

/**
 * Log-probabilities of the marked tokens of a text, each given all tokens before it; the first token has none.
 *
 * @param isReply which of `ids` are asked for.
 * @returns [marked tokens].
 */
export async function scoreTokens(
  backbone: Backbone,
  ids: readonly number[],
  isReply: readonly boolean[],
  casting: Casting | null,
): Promise<Float32Array> {
  if (backbone.score) return backbone.score(ids, isReply, casting)
  const asked = ids.flatMap((_, index) => (index > 0 && isReply[index] ? [index] : []))
  const logits = await backbone.logits(ids.slice(0, asked.at(-1) ?? 0), casting)
  const { vocabulary } = backbone.shape
  return Float32Array.from(asked, (index) => {
    const row = logits.subarray((index - 1) * vocabulary, index * vocabulary)
    return (row[ids[index] ?? 0] ?? -Infinity) - logSumExp(row)
  })
}

function logSumExp(values: Float32Array): number {
  let highest = -Infinity
  for (const value of values) highest = Math.max(highest, value)
  let sum = 0
  for (const value of values) sum += Math.exp(value - highest)
  return highest + Math.log(sum)
}
