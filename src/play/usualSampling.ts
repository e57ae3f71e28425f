import { STEADY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import type { Backbone } from '../model/decoder/backbone.ts'

/** What characters answer with on a backbone unless something else is chosen: guidance only where it can be afforded. */
export function usualSampling(
  { affordsGuidance }: Pick<Backbone, 'affordsGuidance'>,
  seed: number,
): Sampling {
  return { ...STEADY, guidance: affordsGuidance ? STEADY.guidance : 0, seed }
}
