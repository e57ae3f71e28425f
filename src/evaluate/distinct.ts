/** The share of different ones among all pairs of neighbouring words, over all texts together; 0 without a pair. */
export function distinct2(texts: readonly string[]): number {
  const pairs = texts.flatMap((text) => {
    const words = text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu) ?? []
    return words.slice(1).map((word, index) => `${words[index]} ${word}`)
  })
  return pairs.length === 0 ? 0 : new Set(pairs).size / pairs.length
}
