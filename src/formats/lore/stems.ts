/** A word without the s of a plural or a verb. */
function singularOf(word: string): string {
  return /[^s]s$/.test(word) && word.length > 3 ? word.slice(0, -1) : word
}

/** What the forms of a word have in common: "lives" and "living" have "liv". */
function stemOf(word: string): string {
  const stem = singularOf(word).replace(/(?<=..)(?:ing|ed)$/, '')
  return stem.length > 3 ? stem.replace(/e$/, '') : stem
}

/** The words of a text by their stems, of those with one stem the first. */
export function wordsByStem(text: string): ReadonlyMap<string, string> {
  const stems = new Map<string, string>()
  const plain = text.toLowerCase().replaceAll(/['’]s\b/g, '')
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    const stem = stemOf(word)
    if (!stems.has(stem)) stems.set(stem, word)
  }
  return stems
}
