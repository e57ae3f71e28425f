import { countsAsReply } from '../../core/dialogue.ts'
import type { Dialogue, Turn } from '../../core/dialogue.ts'
import type { ChatMessage } from '../../formats/chatRepair.ts'
import type { ChatTemplate } from '../../formats/chatTemplate.ts'
import { QUOTE } from '../../formats/quotedTokens.ts'
import type { TextCodec } from '../../model/chatModel.ts'

/** A chat as tokens, as the same chat is read when it is played, and which of them are learnt. */
export interface EncodedTurns {
  readonly ids: readonly number[]
  readonly isReply: readonly boolean[]
  /** Whether the template writes a token that ends a turn; where it writes none, one of the model's stands at the end. */
  readonly isEnded: boolean
}

/** Around a turn's text, with its number, while the template is rendered; of the private use areas, so that no text holds them. */
const [OPEN, CLOSE] = ['\u{f0001}', '\u{10fffc}']
const MARKS = /\u{f0001}(\d+)\u{f0001}|\u{10fffc}/gu

/** Where the text of a turn lies in what the template writes. */
interface Span {
  readonly turn: number
  readonly start: number
  readonly end: number
}

interface Rendered {
  readonly text: string
  readonly spans: readonly Span[]
}

function render({ tokenizer, template }: TextCodec, turns: readonly Turn[], system: string | null): Rendered {
  const messages = turns.map(({ speaker, text }, index): ChatMessage => ({
    role: speaker === 'user' ? 'user' : 'assistant',
    content: `${OPEN}${index}${OPEN}${tokenizer.quote(text)}${CLOSE}`,
  }))
  const line = system === null ? null : tokenizer.quote(system)
  return withoutMarks(template.render({ messages, system: line, addGenerationPrompt: false }))
}

/** The text without its marks, and where they stood. */
function withoutMarks(marked: string): Rendered {
  const spans: Span[] = []
  let text = ''
  let at = 0
  let open: { readonly turn: number; readonly start: number } | null = null
  for (const found of marked.matchAll(MARKS)) {
    text += marked.slice(at, found.index)
    at = found.index + found[0].length
    if (found[1] !== undefined) open = { turn: Number(found[1]), start: text.length }
    else if (open) {
      spans.push({ ...open, end: text.length })
      open = null
    }
  }
  return { text: text + marked.slice(at), spans }
}

const cues = new WeakMap<ChatTemplate, string>()

/** What a template writes between what the visitor said last and the place where the model goes on; empty where it tells none. */
function cueOf(template: ChatTemplate): string {
  const known = cues.get(template)
  if (known !== undefined) return known
  const asked: ChatMessage = { role: 'user', content: `${OPEN}0${OPEN}Hello${CLOSE}` }
  const prompt = withoutMarks(template.render({ messages: [asked], system: null, addGenerationPrompt: true }))
  const cue = prompt.text.slice(prompt.spans[0]?.end ?? prompt.text.length)
  cues.set(template, cue)
  return cue
}

/**
 * The chat with the cue before each reply that is learnt as it is when the reply is generated: what has been said stands
 * there without the closed thought behind which it was said.
 */
function withCues({ text, spans }: Rendered, turns: readonly Turn[], cue: string): Rendered {
  let cued = ''
  let at = 0
  const moved = spans.map((span, index): Span => {
    const before = text.slice(spans[index - 1]?.end ?? span.start, span.start)
    const said = turns[span.turn]
    const isCued = said && countsAsReply(said) && before !== '' && cue.startsWith(before)
    cued += text.slice(at, span.start) + (isCued ? cue.slice(before.length) : '')
    at = span.end
    const start = cued.length
    cued += text.slice(span.start, span.end)
    return { ...span, start, end: cued.length }
  })
  return { text: cued + text.slice(at), spans: moved }
}

/**
 * A chat through the template as tokens: those of the whole text, as it is read when the chat goes on. Of each reply that
 * counts, all is learnt from the first token behind the prompt for it up to and with the token that ends the turn.
 *
 * @throws HycoraError `template-refused` when the template refuses the chat.
 */
export function encodeTurns(codec: TextCodec, turns: Dialogue['turns'], system: string | null): EncodedTurns {
  const cue = cueOf(codec.template)
  const { text, spans } = withCues(render(codec, turns, system), turns, cue)
  const ids = codec.tokenizer.encode(text)
  const isReply = ids.map(() => false)
  let last = { behind: 0, isEnded: true }
  spans.forEach(({ turn, start, end }, index) => {
    const said = turns[turn]
    if (!said || !countsAsReply(said)) return
    const before = text.slice(spans[index - 1]?.end ?? start, start)
    // White space behind the cue is the model's to say.
    const lead =
      before.startsWith(cue) && before.slice(cue.length).trim() === '' ? before.slice(cue.length) : ''
    const from = tokensAt(codec, text, ids, start - lead.length).first
    const spoken = tokensAt(codec, text, ids, end).behind
    const ends = findEnd(codec, ids, text.slice(end, spans[index + 1]?.start), spoken)
    const behind = ends === undefined ? spoken : ends + 1
    isReply.fill(true, from, behind)
    last = { behind, isEnded: ends !== undefined }
  })
  const [stop] = codec.stopIds
  if (last.isEnded || stop === undefined) return { ids, isReply, isEnded: last.isEnded }
  return {
    ids: [...ids.slice(0, last.behind), stop],
    isReply: [...isReply.slice(0, last.behind), true],
    isEnded: false,
  }
}

/** Where a place of the text lies among its tokens: the first that is not wholly before it, and the first wholly behind it. */
function tokensAt(
  { tokenizer }: TextCodec,
  text: string,
  ids: readonly number[],
  place: number,
): { readonly first: number; readonly behind: number } {
  const head = text.slice(0, place)
  // Where what follows holds a quoted token, the beginning is read as it is there only with a quote of its own.
  const heads = text.includes(QUOTE) ? [head, head + QUOTE] : [head]
  const read = heads
    .map((one) => tokenizer.encode(one))
    .map((own) => ({ own, common: commonLength(own, ids) }))
  const { own, common } = read.reduce((best, one) => (one.common > best.common ? one : best))
  if (common === own.length) return { first: common, behind: common }
  const rest = tokenizer.decode(own.slice(common)).replace(QUOTE, '').length
  const reach = (count: number): number => tokenizer.decode(ids.slice(common, count)).length
  const next = ids.findIndex((_, at) => at >= common && reach(at + 1) > rest)
  const first = rest === 0 ? common : next < 0 ? ids.length : next
  return { first, behind: rest > reach(first) ? first + 1 : first }
}

function commonLength(one: readonly number[], other: readonly number[]): number {
  const length = Math.min(one.length, other.length)
  for (let index = 0; index < length; index++) if (one[index] !== other[index]) return index
  return length
}

/** Where the token stands that ends the turn behind a reply, if what the template writes there holds one. */
function findEnd(
  { tokenizer, stopIds }: TextCodec,
  ids: readonly number[],
  tail: string,
  from: number,
): number | undefined {
  const isStop = (id: number): boolean => stopIds.includes(id)
  if (!tokenizer.encode(tail).some(isStop)) return undefined
  const index = ids.slice(from).findIndex(isStop)
  return index < 0 ? undefined : from + index
}
