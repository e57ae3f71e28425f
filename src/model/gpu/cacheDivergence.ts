import type { Casting } from '../decoder/backbone.ts'
import { divergence } from '../decoder/divergence.ts'
import type { GpuBackbone } from './gpuBackbone.ts'

/** What keys and values may cost that are kept in halves: the mean divergence of a token's distribution, in nats. */
export const MOST_DIVERGENCE = 1e-4

/** Divergence of the distributions of tokens, in nats. */
export interface CacheDivergence {
  readonly tokens: number
  readonly mean: number
  readonly greatest: number
}

/**
 * How far the distributions of a text's tokens move with keys and values in halves: the text is fed token by token, as an
 * answer is, to the same backbone with floats and with halves.
 *
 * @throws HycoraError as `Backbone.step`.
 */
export async function measureCache(
  floats: GpuBackbone,
  halves: GpuBackbone,
  ids: readonly number[],
  casting: Casting | null,
): Promise<CacheDivergence> {
  const [first = 0, ...rest] = ids
  const found = [divergence(await floats.logits([first], casting), await halves.logits([first], casting))]
  for (const id of rest) found.push(divergence(await floats.step(id), await halves.step(id)))
  const sum = found.reduce((total, one) => total + one, 0)
  return { tokens: ids.length, mean: sum / ids.length, greatest: found.reduce((a, b) => Math.max(a, b), 0) }
}
