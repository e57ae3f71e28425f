import type { Backbone, Casting } from './backbone.ts'

/**
 * Logits [vocabulary] of whatever comes behind a text; what the backbone has read of it is not read again.
 *
 * @throws what the backbone throws.
 */
export async function nextLogits(
  backbone: Backbone,
  ids: readonly number[],
  casting: Casting | null,
): Promise<Float32Array> {
  const last = ids.at(-1)
  if (!backbone.score || last === undefined || ids.length < 2) {
    const { vocabulary } = backbone.shape
    return (await backbone.logits(ids, casting)).slice(-vocabulary)
  }
  // A score of the last token leaves all before it in the cache, and it alone to be read.
  await backbone.score(
    ids,
    ids.map((_, index) => index === ids.length - 1),
    casting,
  )
  return backbone.step(last)
}
