import { GREEDY } from '../core/sampling.ts'
import type { Backbone } from '../model/backbone.ts'
import type { PathRate } from './protocol.ts'

/** Long enough for the kernels that read a prompt, short enough for a slow machine. */
const PROMPT_TOKENS = 32
const ANSWER_TOKENS = 9

/** A path that is slower than this need not be known exactly. */
const LIMIT_MS = 6000

/** An answer as it is usual in a chat: what of the prompt is new, and what is said. */
const USUAL = { prompt: 64, answer: 48 }

/**
 * Reads a prompt and answers it, greedily, after a first run that does not count: the kernels are compiled in it. The
 * ids have no meaning: the time of a token does not hang on which it is.
 */
export async function measureRate(backbone: Backbone): Promise<PathRate> {
  await timeAnswer(backbone, idsFrom(backbone, 1), 2)
  return timeAnswer(backbone, idsFrom(backbone, 2), ANSWER_TOKENS)
}

/** Seconds that a usual answer takes at a rate. */
export function answerSeconds({ prefill, decode }: PathRate): number {
  return USUAL.prompt / prefill + USUAL.answer / decode
}

function idsFrom({ shape: { vocabulary } }: Backbone, seed: number): number[] {
  return Array.from({ length: PROMPT_TOKENS }, (_, index) => (seed * 7919 + index * 104_729) % vocabulary)
}

async function timeAnswer(backbone: Backbone, ids: readonly number[], maxTokens: number): Promise<PathRate> {
  const startMs = performance.now()
  const request = { ids, casting: null, sampling: GREEDY, maxTokens, stopIds: [] }
  let tokens = 0
  let firstMs = startMs
  let lastMs = startMs
  for await (const _ of backbone.generate(request)) {
    lastMs = performance.now()
    if (++tokens === 1) firstMs = lastMs
    else if (lastMs - startMs > LIMIT_MS) break
  }
  return {
    prefill: (ids.length * 1000) / Math.max(1, firstMs - startMs),
    decode: ((tokens - 1) * 1000) / Math.max(1, lastMs - firstMs),
  }
}
