import { referenceForward } from './decoder.ts'
import type { ReferenceAdapters, ReferenceDecoder } from './decoder.ts'

/** How likely a token must be by itself, of the likeliest: Li et al. 2023, section 3.3. */
const LEAST = 0.1

/** The arg max of what leads, among the tokens that are likely by `own` alone. */
function ledTo(led: Float64Array, own: Float64Array): number {
  const least = Math.max(...own) + Math.log(LEAST)
  const left = led.map((value, v) => (own[v]! < least ? -Infinity : value))
  return left.indexOf(Math.max(...left))
}

/**
 * The likeliest tokens behind two prompts, one after the other: `arg max l + guidance·(l − l₀)`, l the logits behind the
 * first and l₀ those behind the second, to both of which each token is added; of those that are likely by l. All of it computed anew for every token.
 */
export function guidedReference(
  model: ReferenceDecoder,
  prompts: readonly [readonly number[], readonly number[]],
  options: { readonly guidance: number; readonly tokens: number; readonly adapters?: ReferenceAdapters },
): number[] {
  const answer: number[] = []
  for (let count = 0; count < options.tokens; count++) {
    const [own, other] = prompts.map((ids) => {
      const { logits } = referenceForward(model, [...ids, ...answer], options.adapters)
      return logits.slice(-model.vocabulary)
    })
    const guided = own!.map((l, v) => l + options.guidance * (l - other![v]!))
    answer.push(ledTo(guided, own!))
  }
  return answer
}

/**
 * The likeliest tokens behind a prompt, one after the other: `arg max base + guidance·(role − base)`, role the logits with the
 * adapters and base those without; of those that are likely as the role. All of it computed anew for every token.
 */
export function roleGuidedReference(
  model: ReferenceDecoder,
  prompt: readonly number[],
  options: { readonly guidance: number; readonly tokens: number; readonly adapters: ReferenceAdapters },
): number[] {
  const answer: number[] = []
  for (let count = 0; count < options.tokens; count++) {
    const ids = [...prompt, ...answer]
    const role = referenceForward(model, ids, options.adapters).logits.slice(-model.vocabulary)
    const base = referenceForward(model, ids).logits.slice(-model.vocabulary)
    const guided = base.map((l, v) => l + options.guidance * (role[v]! - l))
    answer.push(ledTo(guided, role))
  }
  return answer
}
