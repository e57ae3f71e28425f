// How the cast is taught to a model. A pure function, no state.
import type { ChosenOptions } from './config.ts'

/** What a model up to this size was measured with; larger ones learn with smaller steps, of which none was measured. */
const MEASURED = 200_000_000

/**
 * The settings that teach the cast to a model of so many numbers. Those of the small model are what the pack that ships was
 * trained with, but for rows of one answer instead of five, of which more make a step; those of larger ones have half its
 * rates.
 */
export function castRecipe(parameters: number): ChosenOptions {
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
    'hypernetwork.generatorRank': 64,
    'contrast.weight': 0.05,
  }
}
