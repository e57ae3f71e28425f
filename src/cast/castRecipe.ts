/** What a training file says, the rest left to its defaults. */
export type Recipe = Readonly<Record<string, number | string | Readonly<Record<string, number>>>>

/** What a model up to this size was measured with; larger ones learn with smaller steps, of which none was measured. */
const MEASURED = 200_000_000

/**
 * The training file that teaches the cast to a model of so many numbers. What the small model is given is what the pack that
 * ships was trained with, but for rows of one answer instead of five, of which more make a step; larger ones are given half
 * its rates.
 */
export function castRecipe(parameters: number): Recipe {
  const share = parameters <= MEASURED ? 1 : 0.5
  return {
    steps: 1400,
    batch: 12,
    wordings: 2,
    maxTokens: 384,
    system: 'You are {name}. Stay in character.',
    learningRate: 1e-3 * share,
    learningRateB: 2e-3 * share,
    warmup: 20,
    rank: 16,
    alpha: 64,
    hypernetwork: { generatorRank: 64 },
    contrast: { weight: 0.05 },
  }
}
