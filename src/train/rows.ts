import { countsAsReply } from '../core/dialogue.ts'
import type { Dialogue, Turn } from '../core/dialogue.ts'
import type { ChatMessage } from '../formats/chatRepair.ts'
import type { TextCodec } from '../model/chatModel.ts'

/** A dialogue as tokens. */
export interface TokenRow {
  readonly role: string
  /** The question that it is a wording of. */
  readonly item?: string
  readonly ids: readonly number[]
  /** Which of `ids` are reply tokens: the character's text that is learnt and the end-of-turn token after it. */
  readonly isReply: readonly boolean[]
  /** Index of the last reply token. */
  readonly anchor: number
  /** What did not fit: whole turns from the front, tokens from the end. */
  readonly cut: { readonly turns: number; readonly tokens: number }
}

/** Stands for a reply while the template is rendered; of the private use areas, so that no text holds it. */
const MARK = '\u{f0001}\u{10fffc}\u{f0001}'

interface Tokens {
  readonly ids: number[]
  readonly isReply: boolean[]
}

function isLearnt(reply: Turn | undefined): boolean {
  return reply !== undefined && countsAsReply(reply)
}

/**
 * A dialogue through the chat template as tokens. Replies are encoded by themselves, as they are generated: behind a
 * prompt whose tokens are already fixed.
 */
function encodeTurns(
  { tokenizer, template }: TextCodec,
  turns: Dialogue['turns'],
  system: string | null,
): Tokens {
  const messages = turns.map(({ speaker, text }): ChatMessage => {
    return speaker === 'user'
      ? { role: 'user', content: tokenizer.quote(text) }
      : { role: 'assistant', content: MARK }
  })
  const replies = turns.filter(({ speaker }) => speaker !== 'user')
  const line = system === null ? null : tokenizer.quote(system)
  const segments = template.render({ messages, system: line, addGenerationPrompt: false }).split(MARK)
  const ids: number[] = []
  const isReply: boolean[] = []
  const append = (more: readonly number[], reply: boolean): void => {
    for (const id of more) {
      ids.push(id)
      isReply.push(reply)
    }
  }
  segments.forEach((segment, index) => {
    const [first, ...rest] = tokenizer.encode(segment)
    // What the template writes behind a reply begins with the token that ends the turn; it is learnt with the reply.
    const isEnd = isLearnt(replies[index - 1])
    if (first !== undefined) append([first], isEnd && tokenizer.addedIds.has(first))
    append(rest, false)
    const reply = replies[index]
    if (reply) append(tokenizer.encode(tokenizer.quote(reply.text)), isLearnt(reply))
  })
  return { ids, isReply }
}

/**
 * Turns a dialogue into a row of at most `maxTokens`: whole turns go from the front, down to the last exchange, then
 * tokens from the end.
 *
 * @param system the role's line; null for no system turn at all.
 * @returns the row, or why there is none.
 */
export function encodeRow(
  codec: TextCodec,
  { role, turns, item }: Dialogue,
  system: string | null,
  maxTokens: number,
): TokenRow | { readonly reason: string } {
  let first = 0
  let tokens = encodeTurns(codec, turns, system)
  while (tokens.ids.length > maxTokens && first < turns.length - 2) {
    first++
    tokens = encodeTurns(codec, turns.slice(first), system)
  }
  const length = Math.min(maxTokens, tokens.ids.length)
  const isReply = tokens.isReply.slice(0, length)
  const anchor = isReply.lastIndexOf(true)
  if (anchor < 1) return { reason: `no word of ${role}’s reply fits into ${maxTokens} tokens` }
  return {
    role,
    ...(item !== undefined && { item }),
    ids: tokens.ids.slice(0, length),
    isReply,
    anchor,
    cut: { turns: first, tokens: tokens.ids.length - length },
  }
}
