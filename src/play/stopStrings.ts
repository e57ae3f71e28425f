/** A text that comes in pieces, up to the first of some strings. */
export interface StopFilter {
  /** What of the text up to here is certain to stand before all of them, possibly nothing. */
  push(piece: string): string
  /** Whether one of them has come. */
  readonly isOver: boolean
}

/** Holds back what may be the beginning of a string that ends a text. */
export function filterStops(stops: readonly string[]): StopFilter {
  let whole = ''
  let passed = 0
  let isOver = false
  return {
    get isOver() {
      return isOver
    },
    push(piece) {
      if (isOver) return ''
      whole += piece
      const before = textBefore(whole, stops)
      isOver = before !== null
      const certain = before?.length ?? whole.length - beginningAtEnd(whole, stops)
      const text = whole.slice(passed, certain)
      passed = Math.max(passed, certain)
      return text
    },
  }
}

/**
 * A text up to that of some strings which is whole first, of several the longest; null where none of them is in it. So it is
 * the same for a text that is still being written. Blanks before the first word end nothing, or an answer that begins on a new
 * line would be over there.
 */
export function textBefore(text: string, stops: readonly string[]): string | null {
  const firstWord = text.search(/\S/)
  const places = stops.flatMap((stop) => {
    if (stop === '') return []
    const isBlank = stop.trim() === ''
    if (isBlank && firstWord < 0) return []
    const at = text.indexOf(stop, isBlank ? firstWord : 0)
    return at < 0 ? [] : [{ at, end: at + stop.length }]
  })
  const [first] = places.toSorted((a, b) => a.end - b.end || a.at - b.at)
  return first ? text.slice(0, first.at) : null
}

/** How many characters at the end of a text may be the beginning of one of the strings. */
function beginningAtEnd(text: string, stops: readonly string[]): number {
  const longest = stops.reduce((most, { length }) => Math.max(most, length - 1), 0)
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length)
    if (stops.some((stop) => stop.length > length && stop.startsWith(end))) return length
  }
  return 0
}
