/** The settings that choose among logits, and the uniform number of the draw. */
export interface DrawSettings {
  readonly temperature: number
  readonly topK: number
  readonly topP: number
  readonly minP: number
}

export interface Kept {
  /** Ids in ascending order. */
  readonly ids: readonly number[]
  /** Their probabilities, which sum to 1. */
  readonly probabilities: readonly number[]
}

/**
 * What is kept of the logits, by sorting: the `topK` highest; of these the likeliest whose probabilities, summed before
 * each, stay below `topP`; of these all with p ≥ minP · max p. Equal logits share their fate.
 */
export function keptReference(
  logits: ArrayLike<number>,
  { temperature, topK, topP, minP }: DrawSettings,
): Kept {
  const sorted = Array.from(logits, (logit, id) => ({ id, logit })).toSorted((a, b) => b.logit - a.logit)
  const peak = sorted[0]!.logit
  let kept = sorted.map(({ id, logit }) => ({ id, logit, weight: Math.exp((logit - peak) / temperature) }))

  const lowest = topK > 0 ? kept[Math.min(topK, kept.length) - 1]!.logit : -Infinity
  kept = kept.filter(({ logit }) => logit >= lowest)

  const mass = kept.reduce((sum, { weight }) => sum + weight, 0)
  let above = 0
  let limit = -Infinity
  for (let i = 0; i < kept.length; i++) {
    const isNew = i === 0 || kept[i]!.logit < kept[i - 1]!.logit
    if (topP < 1 && i > 0 && isNew && above / mass >= topP) {
      limit = kept[i - 1]!.logit
      break
    }
    above += kept[i]!.weight
  }
  kept = kept.filter(({ logit, weight }) => logit >= limit && weight >= minP)

  const total = kept.reduce((sum, { weight }) => sum + weight, 0)
  const ordered = kept.toSorted((a, b) => a.id - b.id)
  return { ids: ordered.map(({ id }) => id), probabilities: ordered.map(({ weight }) => weight / total) }
}

/** The first id, in order, at which the running sum of the probabilities exceeds the uniform number. */
export function drawReference({ ids, probabilities }: Kept, uniform: number): number {
  let sum = 0
  for (let i = 0; i < ids.length; i++) {
    sum += probabilities[i]!
    if (sum > uniform) return ids[i]!
  }
  return ids.at(-1)!
}

/** The uniform number of a seed at a position: 24 bits of a PCG hash. */
export function uniformReference(seed: number, position: number): number {
  return (pcg((seed + pcg(position)) >>> 0) >>> 8) / 2 ** 24
}

function pcg(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0
  return ((word >>> 22) ^ word) >>> 0
}
