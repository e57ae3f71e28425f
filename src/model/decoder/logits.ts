import { HycoraError } from '../../core/errors.ts'
import type { Backbone } from './backbone.ts'

/** So many tokens are read to see whether a model computes at all. */
const PROBE_TOKENS = 4

/** What is said of logits that are NaN or infinite. */
export function notNumbers(): HycoraError {
  return new HycoraError(
    'not-a-number',
    'the model computes no numbers: its weights are damaged or overflow, or the graphics driver computes wrongly',
  )
}

/**
 * Minus infinity forbids a token and is sound.
 *
 * @throws HycoraError `not-a-number` where a logit is NaN or infinite, or every token is forbidden.
 */
export function checkLogits(logits: Float32Array): void {
  let highest = -Infinity
  for (const value of logits) {
    if (Number.isNaN(value)) throw notNumbers()
    if (value > highest) highest = value
  }
  if (!Number.isFinite(highest)) throw notNumbers()
}

/** Looks at a backbone's first logits. @throws HycoraError `not-a-number`, and what computing them throws. */
export async function checkFirstLogits(backbone: Backbone): Promise<void> {
  const { vocabulary } = backbone.shape
  const ids = Array.from({ length: PROBE_TOKENS }, (_, id) => id % vocabulary)
  const logits = await backbone.logits(ids, null)
  for (let row = 0; row < PROBE_TOKENS; row++) {
    checkLogits(logits.subarray(row * vocabulary, (row + 1) * vocabulary))
  }
}

/** A backbone once its first logits are looked at; one that computes no numbers is taken down. @throws HycoraError as `checkFirstLogits`. */
export async function lookedAt<B extends Backbone>(opening: Promise<B>): Promise<B> {
  const backbone = await opening
  try {
    await checkFirstLogits(backbone)
    return backbone
  } catch (error) {
    backbone.destroy()
    throw error
  }
}

/** Normalised mean squared error of `actual` against `reference`: Σ(y − ŷ)² / Σŷ². */
export function normalisedError(actual: Float32Array, reference: Float32Array): number {
  let [error, power] = [0, 0]
  for (const [index, value] of reference.entries()) {
    error += ((actual[index] ?? NaN) - value) ** 2
    power += value ** 2
  }
  return error / power
}
