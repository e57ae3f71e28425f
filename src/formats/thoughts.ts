/** What begins the words of a reply where a model writes them in channels, one for what it thinks among them. */
const FINAL = '<|channel|>final<|message|>'

/** What models write around what they think, each pair as some family of them does; a tag that opens may be one that closes. */
const TAGS: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['<seed:think>', '</seed:think>'],
  ['[THINK]', '[/THINK]'],
  ['<|START_THINKING|>', '<|END_THINKING|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<|inner_prefix|>', '<|inner_suffix|>'],
  ['<|channel>thought', '<channel|>'],
  ['◁think▷', '◁/think▷'],
  ['<|channel|>', FINAL],
  ['<|start|>assistant', FINAL],
  ['<|end|><|start|>', FINAL],
]
/** What ends words in the final channel: others may follow. */
const FINAL_ENDS: readonly (readonly [open: string, close: string])[] = [
  ['<|end|>', FINAL],
  ['<|return|>', FINAL],
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
  let tags = TAGS
  /** Leaves the thought under way; false while it goes on. */
  const leave = (): boolean => {
    if (close === null) return true
    const at = held.indexOf(close)
    held = at < 0 ? held.slice(1 - close.length) : held.slice(at + close.length)
    if (at < 0) return false
    if (close === FINAL) tags = [...TAGS, ...FINAL_ENDS]
    close = null
    before = 'thought'
    return true
  }
  const take = (isEnd: boolean): string => {
    let said = ''
    while (leave()) {
      if (before === 'thought') held = held.trimStart()
      const opened = firstOpen(held, tags)
      const length = opened ? opened.at : isEnd ? held.length : held.length - partialTag(held, tags)
      const words = held.slice(0, length)
      const isBlank = before === 'nothing' && words.trim() === ''
      if (isBlank && !opened && !isEnd) return said
      if (!isBlank || !opened) said += words
      if (!isBlank && words !== '') before = 'words'
      held = held.slice(length)
      if (!opened) return said
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

/** A text behind which somebody speaks rather than thinks: what a prompt ends with, where that opens a thought, is closed. */
export function closeThought(text: string): string {
  const end = text.trimEnd()
  if (end.endsWith('<|start|>assistant')) return end + FINAL
  const close = TAGS.find(([open]) => end.endsWith(open))?.[1]
  return close === undefined ? text : `${end}\n\n${close}\n\n`
}

type Tags = typeof TAGS

function firstOpen(text: string, tags: Tags): { readonly at: number; readonly close: string } | null {
  let first: { readonly at: number; readonly close: string } | null = null
  for (const [open, close] of tags) {
    const at = text.indexOf(open)
    if (at >= 0 && (!first || at < first.at)) first = { at, close }
  }
  return first
}

/** How many characters at the end may be the beginning of a tag that opens. */
function partialTag(text: string, tags: Tags): number {
  const longest = Math.max(...tags.map(([open]) => open.length)) - 1
  for (let length = Math.min(longest, text.length); length > 0; length--) {
    const end = text.slice(-length)
    if (tags.some(([open]) => open.startsWith(end))) return length
  }
  return 0
}
