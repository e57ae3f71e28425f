import type { PathRate } from '../core/path.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Backbone } from '../model/decoder/backbone.ts'

/** Long enough for the kernels that read a prompt, short enough for a slow machine. */
const PROMPT_TOKENS = 32
const ANSWER_TOKENS = 9
/** As above, for a run that does not count: kernels are compiled and memory is touched in it. */
const FIRST_PROMPT_TOKENS = 8
const FIRST_ANSWER_TOKENS = 2

/** Nobody waits longer to hear exactly how slow a path is. */
const LIMIT_MS = 12_000

/** An answer as it is usual in a chat: what of the prompt is new, and what is said. */
const USUAL = { prompt: 64, answer: 48 }

/** A rate, and the end of the run that it comes from: until then the backbone must not be used. */
export interface Measurement {
  readonly rate: PathRate
  readonly settled: Promise<unknown>
}

/**
 * Reads a prompt and answers it, greedily, after a run that does not count. The ids have no meaning: the time of a token
 * does not hang on which it is. After 12 seconds the rate is what the path would have had to reach by then: it has less.
 */
export async function measureRate(backbone: Backbone): Promise<Measurement> {
  const stop = new AbortController()
  const running = timeAnswers(backbone, stop.signal)
  let timer: ReturnType<typeof setTimeout> | undefined
  const atMost = new Promise<PathRate>((resolve) => {
    timer = setTimeout(() => {
      stop.abort()
      resolve(rateOf(LIMIT_MS, LIMIT_MS, ANSWER_TOKENS))
    }, LIMIT_MS)
  })
  try {
    const rate = await Promise.race([running, atMost])
    return { rate, settled: running.catch(() => undefined) }
  } finally {
    clearTimeout(timer)
  }
}

/** Seconds that a usual answer takes at a rate. */
export function answerSeconds({ prefill, decode }: PathRate): number {
  return USUAL.prompt / prefill + USUAL.answer / decode
}

async function timeAnswers(backbone: Backbone, signal: AbortSignal): Promise<PathRate> {
  await timeAnswer(backbone, signal, FIRST_PROMPT_TOKENS, FIRST_ANSWER_TOKENS)
  return timeAnswer(backbone, signal, PROMPT_TOKENS, ANSWER_TOKENS)
}

function rateOf(readMs: number, answerMs: number, tokens: number): PathRate {
  return {
    prefill: (PROMPT_TOKENS * 1000) / Math.max(1, readMs),
    decode: ((tokens - 1) * 1000) / Math.max(1, answerMs),
  }
}

async function timeAnswer(
  backbone: Backbone,
  signal: AbortSignal,
  promptTokens: number,
  maxTokens: number,
): Promise<PathRate> {
  const { vocabulary } = backbone.shape
  const ids = Array.from(
    { length: promptTokens },
    (_, index) => (promptTokens * 7919 + index * 104_729) % vocabulary,
  )
  const request = { ids, casting: null, sampling: GREEDY, maxTokens, stopIds: [], signal }
  const startMs = performance.now()
  let tokens = 0
  let firstMs = startMs
  for await (const _ of backbone.generate(request)) if (++tokens === 1) firstMs = performance.now()
  return rateOf(firstMs - startMs, performance.now() - firstMs, tokens)
}
