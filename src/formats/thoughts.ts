/** What models write around what they think, each pair as some family of them does. */
const TAGS: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['<seed:think>', '</seed:think>'],
  ['[THINK]', '[/THINK]'],
  ['<|START_THINKING|>', '<|END_THINKING|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
]

/** A text that comes in pieces, without what is thought in it. */
export interface ThoughtFilter {
  /** What of the text up to here is said, possibly nothing; never a part of a tag. */
  push(piece: string): string
  /** What is still held back. */
  end(): string
}

/**
 * Leaves out what is thought, from one of the tags that models open to the one that closes it, and the white space
 * behind; a thought that is not closed goes on to the end. White space before the first word falls with a thought there.
 */
export function filterThoughts(): ThoughtFilter {
  let held = ''
  /** The tag that closes the thought under way. */
  let close: string | null = null
  /** What was said last: nothing yet, a thought, or words. */
  let before: 'nothing' | 'thought' | 'words' = 'nothing'
  /** Leaves the thought under way; false while it goes on. */
  const leave = (): boolean => {
    if (close === null) return true
    const at = held.indexOf(close)
    held = at < 0 ? held.slice(1 - close.length) : held.slice(at + close.length)
    if (at < 0) return false
    close = null
    before = 'thought'
    return true
  }
  const take = (isEnd: boolean): string => {
    let said = ''
    while (leave()) {
      if (before === 'thought') held = held.trimStart()
      const opened = firstOpen(held)
      const length = opened ? opened.at : isEnd ? held.length : held.length - partialTag(held)
      const words = held.slice(0, length)
      const isBlank = before === 'nothing' && words.trim() === ''
      if (isBlank && !opened && !isEnd) return said
      if (!isBlank || !opened) said += words
      if (!isBlank && words !== '') before = 'words'
      held = held.slice(length)
      if (!opened) return said
      held = held.slice(opened.open.length)
      close = opened.close
    }
    return said
  }
  return {
    push(piece) {
      held += piece
      return take(false)
    },
    end: () => take(true),
  }
}

/** A whole text without what is thought in it; of a thought that began before the text, its end is left out too. */
export function withoutThoughts(text: string): string {
  const filter = filterThoughts()
  let said = filter.push(text) + filter.end()
  for (const [, close] of TAGS) {
    const at = said.lastIndexOf(close)
    if (at >= 0) said = said.slice(at + close.length).trimStart()
  }
  return said
}

/** The tag that closes what a text ends in the middle of thinking, or null where it does not end with an open tag. */
export function closingTag(text: string): string | null {
  const end = text.trimEnd()
  return TAGS.find(([open]) => end.endsWith(open))?.[1] ?? null
}

function firstOpen(text: string): { at: number; open: string; close: string } | null {
  let first: { at: number; open: string; close: string } | null = null
  for (const [open, close] of TAGS) {
    const at = text.indexOf(open)
    if (at >= 0 && (!first || at < first.at)) first = { at, open, close }
  }
  return first
}

/** How many characters at the end may be the beginning of a tag that opens. */
function partialTag(text: string): number {
  const longest = Math.max(...TAGS.map(([open]) => open.length)) - 1
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length)
    if (TAGS.some(([open]) => open.startsWith(end))) return length
  }
  return 0
}
