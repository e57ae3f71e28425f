import { countsAsReply } from '../core/dialogue.ts'
import type { Turn } from '../core/dialogue.ts'
import type { Backbone, Casting } from '../model/decoder/backbone.ts'
import { cutText } from '../model/prompt.ts'
import { scoreTokens } from '../model/decoder/score.ts'
import { encodeRow } from '../train/data/rows.ts'
import type { TextCodec } from '../model/chatModel.ts'
import type { TokenRow } from '../train/data/rows.ts'

/** A dialogue and which of its replies are measured, as ordinals among those that count. */
export interface MeasuredDialogue {
  readonly role: string
  readonly turns: readonly Turn[]
  readonly wanted: readonly number[]
}

/** The mean negative log-likelihood of a reply's tokens, in nats. */
export interface ReplyScore {
  readonly role: string
  readonly nll: number
}

/** Under what a reply is measured: the system text and whoever plays. */
export interface Condition {
  readonly system: string | null
  readonly casting: Casting | null
}

export interface Scoring {
  readonly backbone: Backbone
  readonly codec: TextCodec
  /** How many tokens of a reply count at most. */
  readonly replyTokens: number
}

/** Room for what a chat template writes around a system text. */
const SYSTEM_OVERHEAD = 16

function encode(
  { backbone, codec }: Scoring,
  dialogue: MeasuredDialogue,
  system: string | null,
): TokenRow | undefined {
  const row = encodeRow(codec, dialogue, system, backbone.context)
  return 'reason' in row ? undefined : row
}

/**
 * The dialogue as the role's own line leaves room for it, ended with the last reply that is measured, so that every
 * condition measures the same tokens; undefined when nothing of it fits.
 */
export function fitDialogue(
  scoring: Scoring,
  dialogue: MeasuredDialogue,
  line: string | null,
): MeasuredDialogue | undefined {
  const lastReply = Math.max(...dialogue.wanted)
  let replies = -1
  const end = dialogue.turns.findIndex((turn) => countsAsReply(turn) && ++replies === lastReply)
  const ended = { ...dialogue, turns: dialogue.turns.slice(0, end + 1) }
  const row = encode(scoring, ended, line)
  if (!row) return undefined
  const gone = repliesCut(ended, row)
  return {
    ...ended,
    turns: ended.turns.slice(row.cut.turns),
    wanted: ended.wanted.map((ordinal) => ordinal - gone).filter((ordinal) => ordinal >= 0),
  }
}

/** How many replies went with the turns that found no room. */
function repliesCut({ turns }: MeasuredDialogue, { cut }: TokenRow): number {
  return turns.slice(0, cut.turns).filter(countsAsReply).length
}

/** As much of a system text as leaves the dialogue room. */
export function fitSystem(scoring: Scoring, dialogue: MeasuredDialogue, system: string): string {
  const { tokenizer } = scoring.codec
  const bare = encode(scoring, dialogue, null)?.ids.length ?? 0
  const room = Math.max(0, scoring.backbone.context - bare - SYSTEM_OVERHEAD)
  return cutText(tokenizer, system, room)
}

/** The token positions of each reply of a row. */
function repliesOf({ isReply }: TokenRow): number[][] {
  const replies: number[][] = []
  isReply.forEach((marked, index) => {
    if (!marked) return
    if (isReply[index - 1]) replies.at(-1)?.push(index)
    else replies.push([index])
  })
  return replies
}

/**
 * Measures a dialogue's wanted replies, their tokens exactly those of training: the text and the end of its turn.
 *
 * @returns a score a wanted reply, in order; replies of which no token fits are left out.
 */
export async function scoreDialogue(
  scoring: Scoring,
  dialogue: MeasuredDialogue,
  { system, casting }: Condition,
): Promise<ReplyScore[]> {
  const row = encode(scoring, dialogue, system)
  if (!row) return []
  const replies = repliesOf(row)
  const gone = repliesCut(dialogue, row)
  const wanted = dialogue.wanted
    .map((ordinal) => (replies[ordinal - gone] ?? []).slice(0, scoring.replyTokens))
    .filter((positions) => positions.length > 0)
  const asked = new Set(wanted.flat())
  const isAsked = row.ids.map((_, index) => asked.has(index))
  const scores = await scoreTokens(scoring.backbone, row.ids, isAsked, casting)
  const order = new Map([...asked].toSorted((a, b) => a - b).map((position, index) => [position, index]))
  return wanted.map((positions) => ({
    role: dialogue.role,
    nll: mean(positions.map((position) => -(scores[order.get(position) ?? -1] ?? 0))),
  }))
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The mean over each role's replies, in the order of `roles`. */
export function meanByRole(scores: readonly ReplyScore[], roles: readonly string[]): number[] {
  return roles.map((role) => mean(scores.filter((score) => score.role === role).map(({ nll }) => nll)))
}
