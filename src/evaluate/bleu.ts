/** Weights of the orders for BLEU-1 to BLEU-4, the third as in the paper's scripts: it sums to 0.99. */
const WEIGHTS: readonly (readonly number[])[] = [
  [1, 0, 0, 0],
  [0.5, 0.5, 0, 0],
  [0.33, 0.33, 0.33, 0],
  [0.25, 0.25, 0.25, 0.25],
]

function countNgrams(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let start = 0; start + order <= words.length; start++) {
    const ngram = words.slice(start, start + order).join('\0')
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1)
  }
  return counts
}

/** Matches of an order, each n-gram at most as often as in the reference that has it most. */
function clippedMatches(references: readonly (readonly string[])[], words: readonly string[], order: number) {
  const counts = countNgrams(words, order)
  const inReferences = references.map((reference) => countNgrams(reference, order))
  let matches = 0
  let total = 0
  for (const [ngram, count] of counts) {
    matches += Math.min(count, Math.max(...inReferences.map((held) => held.get(ngram) ?? 0)))
    total += count
  }
  return { matches, total: Math.max(1, total) }
}

function brevityPenalty(references: readonly (readonly string[])[], length: number): number {
  const distance = (reference: readonly string[]): number => Math.abs(reference.length - length)
  const [closest] = references.toSorted((a, b) => distance(a) - distance(b) || a.length - b.length)
  const closestLength = closest?.length ?? 0
  if (length > closestLength) return 1
  return length === 0 ? 0 : Math.exp(1 - closestLength / length)
}

/**
 * BLEU-1 to BLEU-4 of a sentence against one or more references: `BP·exp Σ_n w_n·log p_n` with clipped precisions, the
 * k-th that is zero replaced by `1/(2ᵏ·denominator)`; all zero without a word in common.
 *
 * Reference: NLTK, `sentence_bleu` with `SmoothingFunction().method3` (Chen & Cherry 2014).
 */
export function sentenceBleu(
  references: readonly (readonly string[])[],
  words: readonly string[],
): readonly number[] {
  const precisions = [1, 2, 3, 4].map((order) => clippedMatches(references, words, order))
  if (references.length === 0 || !precisions[0]?.matches) return WEIGHTS.map(() => 0)
  let zeros = 0
  const smoothed = precisions.map(({ matches, total }) => {
    return matches === 0 ? 1 / (2 ** ++zeros * total) : matches / total
  })
  const penalty = brevityPenalty(references, words.length)
  return WEIGHTS.map((weights) => {
    const logs = weights.map((weight, index) => weight * Math.log(smoothed[index] ?? 1))
    return penalty * Math.exp(logs.reduce((sum, value) => sum + value, 0))
  })
}
