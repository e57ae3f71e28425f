// The words of a question by which something is called, and what their forms have in common.

/** A word without the s of a plural or a verb. */
export function singularOf(word) {
  return /[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word
}

/** What the forms of a word have in common: "lives" and "living" have "liv". */
export function stemOf(word) {
  const singular = singularOf(word)
  const stem = singular.replace(/(?<=..)(?:ing|ed)$/, '')
  return stem.length > 3 ? stem.replace(/e$/, '') : stem
}

/** The words of a text, each once. */
export function wordsOf(text) {
  const words = text
    .toLowerCase()
    .replaceAll(/['’]s\b/g, '')
    .match(/[\p{L}\p{N}]+/gu)
  return [...new Set(words)]
}
