import type { Tokenizer } from '../formats/tokenizer.ts'

/** A mark that ends a sentence, with the quotes, brackets and asterisks that close behind it. */
const ENDING = /[.!?\u2026\u3002\uFF01\uFF1F]["'\u201D\u2019)\]*]*\s*$/u

const known = new WeakMap<Tokenizer, ReadonlySet<number>>()

/** The tokens of a vocabulary behind which a sentence is over, by their text. */
export function sentenceEndsOf(tokenizer: Tokenizer): ReadonlySet<number> {
  const found = known.get(tokenizer)
  if (found) return found
  const ids = Array.from({ length: tokenizer.vocabularySize }, (_, id) => id)
  const ends = new Set(ids.filter((id) => !tokenizer.addedIds.has(id) && ENDING.test(tokenizer.decode([id]))))
  known.set(tokenizer, ends)
  return ends
}
