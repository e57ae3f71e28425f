import type { Dialogue } from '../../core/dialogue.ts'
import { HycoraError } from '../../core/errors.ts'
import type { TextCodec } from '../../model/chatModel.ts'
import { encodeTurns } from './encodeTurns.ts'
import type { EncodedTurns } from './encodeTurns.ts'

/** A dialogue as tokens. */
export interface TokenRow {
  readonly role: string
  /** The question that it is a wording of. */
  readonly item?: string
  readonly ids: readonly number[]
  /** Which of `ids` are reply tokens: the character's text that is learnt, up to and with the token that ends the turn. */
  readonly isReply: readonly boolean[]
  /** Index of the last reply token. */
  readonly anchor: number
  /** The template writes no token that ends a turn; one of the model's stands at the end, where it has one. */
  readonly isOpen?: true
  /** What did not fit: whole turns from the front, tokens from the end. */
  readonly cut: { readonly turns: number; readonly tokens: number }
}

/** Where the dialogue goes on when its first exchange is left out; null where it has only one. */
function nextExchange(turns: Dialogue['turns'], first: number): number | null {
  const next = turns.findIndex(({ speaker }, index) => index > first && speaker === 'user')
  return next < 0 ? null : next
}

/**
 * Turns a dialogue into a row of at most `maxTokens`: whole exchanges go from the front, down to the last, then tokens from
 * the end.
 *
 * @param system the role's line; null for no system turn at all.
 * @returns the row, or why there is none: no word of a reply fits, or the template refuses the chat.
 */
export function encodeRow(
  codec: TextCodec,
  { role, turns, item }: Dialogue,
  system: string | null,
  maxTokens: number,
): TokenRow | { readonly reason: string } {
  let first = 0
  let tokens: EncodedTurns
  try {
    tokens = encodeTurns(codec, turns, system)
    for (let next = nextExchange(turns, 0); next !== null; next = nextExchange(turns, first)) {
      if (tokens.ids.length <= maxTokens) break
      first = next
      tokens = encodeTurns(codec, turns.slice(first), system)
    }
  } catch (error) {
    if (error instanceof HycoraError && error.code === 'template-refused') return { reason: error.message }
    throw error
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
    ...(!tokens.isEnded && { isOpen: true as const }),
    cut: { turns: first, tokens: tokens.ids.length - length },
  }
}
