import type { Casting, GenerateRequest } from './backbone.ts'

/** A second reading, which an answer is led away from. */
export interface Leading {
  /** The whole prompt. */
  readonly ids: readonly number[]
  /** null is the bare backbone. */
  readonly casting: Casting | null
  /** l + guidance·(l − l₀), l₀ the logits of this reading. */
  readonly guidance: number
}

/**
 * What an answer is led away from: the bare backbone's reading of the same prompt where guidance by the role is asked for and
 * somebody plays, base + γ·(role − base) = role + (γ − 1)·(role − base); else the other prompt, where guidance to the question
 * is; null where neither is. One of them at a time: a second reading is a row more in every pass, and has a cache of its own.
 *
 * Reference: Ho & Salimans, "Classifier-Free Diffusion Guidance", 2022, equation 6; Sanchez et al., "Stay on topic with
 * Classifier-Free Guidance", 2023.
 */
export function leadingOf({
  ids,
  beside,
  casting,
  sampling: { guidance, roleGuidance },
}: Pick<GenerateRequest, 'ids' | 'beside' | 'casting' | 'sampling'>): Leading | null {
  if (casting && roleGuidance !== 1) return { ids, casting: null, guidance: roleGuidance - 1 }
  return beside && guidance !== 0 ? { ids: beside, casting, guidance } : null
}
