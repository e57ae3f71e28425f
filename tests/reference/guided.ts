import { referenceForward } from './decoder.ts'
import type { ReferenceAdapters, ReferenceDecoder } from './decoder.ts'

/**
 * The likeliest tokens behind two prompts, one after the other: `arg max l + guidance·(l − l₀)`, l the logits behind the
 * first and l₀ those behind the second, to both of which each token is added. All of it computed anew for every token.
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
    answer.push(guided.indexOf(Math.max(...guided)))
  }
  return answer
}

/**
 * The likeliest tokens behind a prompt, one after the other: `arg max base + guidance·(role − base)`, role the logits with the
 * adapters and base those without. All of it computed anew for every token.
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
    answer.push(guided.indexOf(Math.max(...guided)))
  }
  return answer
}
