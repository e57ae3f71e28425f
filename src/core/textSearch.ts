/** A part of a text, in UTF-16 units. */
export interface TextRange {
  readonly start: number
  readonly end: number
}

/** A piece of an excerpt. */
export interface ExcerptPiece {
  readonly text: string
  readonly isFound: boolean
}

/** A text without case and marks: what is searched in. */
export function foldLetters(text: string): string {
  return text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

/** The words of what is searched for, each once. */
export function wordsIn(query: string): readonly string[] {
  const words = foldLetters(query).split(/\s+/)
  return [...new Set(words)].filter((word) => word !== '')
}

/** Where folded words stand in a text, first to last, none over another; null where one of them is missing. */
export function findWords(text: string, words: readonly string[]): readonly TextRange[] | null {
  const folded = foldLetters(text)
  if (words.length === 0 || !words.every((word) => folded.includes(word))) return null
  const { letters, places } = withPlaces(text)
  const found = words.flatMap((word): readonly TextRange[] => {
    const ranges: TextRange[] = []
    for (let at = letters.indexOf(word); at >= 0; at = letters.indexOf(word, at + word.length)) {
      ranges.push({ start: places[at] ?? 0, end: places[at + word.length] ?? text.length })
    }
    return ranges
  })
  const ordered = found.toSorted((a, b) => a.start - b.start || b.end - a.end)
  let reached = 0
  return ordered.filter(({ start, end }) => {
    const isFree = start >= reached
    if (isFree) reached = end
    return isFree
  })
}

/** A text folded letter by letter, with where each of its units came from. */
function withPlaces(text: string): { readonly letters: string; readonly places: readonly number[] } {
  const places: number[] = []
  let letters = ''
  let at = 0
  for (const letter of text) {
    const folded = foldLetters(letter)
    for (let unit = 0; unit < folded.length; unit++) places.push(at)
    letters += folded
    at += letter.length
  }
  places.push(at)
  return { letters, places }
}

/** Characters of an excerpt before the first word that was found, and all together. */
const [LEAD, LENGTH] = [48, 180]

/** A text around the first of what was found in it, cut between words, in pieces. */
export function excerptOf(text: string, ranges: readonly TextRange[]): readonly ExcerptPiece[] {
  const first = ranges[0]?.start ?? 0
  const from = first <= LEAD ? 0 : text.lastIndexOf(' ', first - LEAD) + 1 || first - LEAD
  const to = from + LENGTH >= text.length ? text.length : from + LENGTH
  const pieces: ExcerptPiece[] = []
  let at = from
  const add = (end: number, isFound: boolean): void => {
    const piece = text.slice(at, end)
    if (piece !== '') pieces.push({ text: piece, isFound })
    at = Math.max(at, end)
  }
  for (const { start, end } of ranges) {
    if (start >= to) break
    add(start, false)
    add(end, true)
  }
  add(to, false)
  return [
    ...(from > 0 ? [{ text: '… ', isFound: false }] : []),
    ...pieces,
    ...(at < text.length ? [{ text: ' …', isFound: false }] : []),
  ]
}
