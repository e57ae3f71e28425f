// What the checks of the cast's lines count: words, gestures, shares.

export const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}'-]*/gu) ?? []
export const normalise = (text) => words(text).join(' ')
/** What is said aloud: the text without its *gestures*. */
export const spokenPart = (text) =>
  text
    .replace(/\*[^*]*\*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
export const gesturesOf = (text) => [...text.matchAll(/\*([^*]+)\*/g)].map((match) => match[1])
export const percent = (share) => `${Math.round(100 * share)} %`
const escapeRegExp = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
/** Matches any of the phrases where it stands as whole words; letters of any alphabet count. */
export const wholeWords = (phrases, flags) =>
  new RegExp(`(?<![\\p{L}'])(?:${phrases.map(escapeRegExp).join('|')})(?![\\p{L}])`, `${flags}u`)
export const countBy = (items) => {
  const counts = new Map()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}
export const share = (items, predicate) => items.filter(predicate).length / Math.max(1, items.length)
