import { macroSpans } from '../core/macros.ts'

/** Words that end with a point in the middle of a sentence, without it. */
const SHORTENED: ReadonlySet<string> = new Set(
  (
    'mr mrs ms mx dr prof st sr jr capt cpt lt lieut sgt col gen cmdr maj cpl pvt adm sen rep rev hon gov pres supt messrs ' +
    'mme mlle vs cf approx est ca nr vol vols fig inc ltd corp dept univ mt ft ave blvd rd jan feb apr aug sept oct nov'
  ).split(' '),
)

/** A mark that may end a sentence, the quotes and brackets that close behind it, and what follows. */
const MARK = /([.!?…]+)["'”’»)\]*_]*(?=\s|$)|[。！？]+["'”’»」』）]*/gu

/** Where the first sentence of a text ends, past its marks; its length where it does not end before. */
function endOfSentence(text: string): number {
  const spans = macroSpans(text)
  for (const found of text.matchAll(MARK)) {
    const [whole, mark] = found
    const end = found.index + whole.length
    if (spans.some((span) => found.index >= span.start && found.index < span.end)) continue
    if (mark === undefined || isEnd(text, found.index, end, mark)) return end
  }
  return text.length
}

function isEnd(text: string, at: number, end: number, mark: string): boolean {
  const next = /^\s*["'“‘«([*_]*(.)/su.exec(text.slice(end, end + 16))?.[1]
  if (next === undefined) return true
  if (/[,;:]/.test(next)) return false
  // Who goes on in small letters has not ended, unless everything is written in them.
  if (/\p{Ll}/u.test(next) && (end > at + mark.length || !/^\P{L}*\p{Ll}/u.test(text))) return false
  if (mark !== '.') return true
  const word = /[\p{L}\p{N}.'’]*$/u.exec(text.slice(Math.max(0, at - 24), at))?.[0] ?? ''
  // "J. S.", "U.S." and "Ph.D.", and "No. 5".
  const isInitial = /^(?:\p{Lu}|(?:\p{L}{1,3}\.)+\p{L}{1,2})$/u.test(word)
  return !isInitial && !/\d/.test(next) && !SHORTENED.has(word.toLowerCase())
}

/** The first sentence of a text, with the mark that ends it: not after "Dr." or "J. S.", nor within a macro. */
export function firstSentence(text: string): string {
  const trimmed = text.trim()
  return trimmed.slice(0, endOfSentence(trimmed))
}

/** A text of at most so many characters: up to its last comma within reach, else its last word, never within a macro. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const inside = macroSpans(text).find(({ start, end }) => start <= most && end > most)
  const within = text.slice(0, inside ? inside.start : most + 1)
  const comma = Math.max(within.lastIndexOf(', '), within.lastIndexOf('，'), within.lastIndexOf('、'))
  const end = comma > 0 ? comma : within.lastIndexOf(' ')
  return (end > 0 ? text.slice(0, end) : within.slice(0, most)).trim()
}
