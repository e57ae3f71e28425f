import { HycoraError } from '../core/errors.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Pack } from '../formats/pack.ts'
import type { Backbone } from '../model/backbone.ts'
import { buildPrompt } from '../model/prompt.ts'
import type { RowCodec } from '../train/rows.ts'
import type { Exchange } from './exchanges.ts'
import type { Condition } from './nll.ts'

/** What is evaluated: a backbone with the pack attached. */
export interface EvaluationSubject {
  readonly backbone: Backbone
  readonly codec: RowCodec
  readonly stopIds: readonly number[]
  readonly pack: Pack
}

export interface GeneratedReply {
  readonly role: string
  /** What the visitor said last. */
  readonly said: string
  /** The role's answer, always the likeliest token. */
  readonly reply: string
  /** The bare backbone's. */
  readonly bare: string
}

function promptOf(
  { backbone, codec }: EvaluationSubject,
  { turns }: Exchange,
  system: string | null,
  tokens: number,
): readonly number[] {
  const room = Math.max(1, backbone.context - tokens)
  return buildPrompt(codec.template, codec.tokenizer, { system, turns, continueLast: false }, room).ids
}

/** Whether a visitor has spoken before the reply and the prompt leaves room for an answer. */
export function isAnswerable(
  subject: EvaluationSubject,
  exchange: Exchange,
  system: string | null,
  tokens: number,
): boolean {
  if (exchange.turns.length === 0) return false
  try {
    return promptOf(subject, exchange, system, tokens).length > 0
  } catch (error) {
    if (error instanceof HycoraError && error.code === 'usage') return false
    throw error
  }
}

/**
 * The answer to what the visitor said before a reply, without the spaces around it.
 *
 * @param tokens of it at most.
 */
export async function generateReply(
  subject: EvaluationSubject,
  exchange: Exchange,
  { system, casting }: Condition,
  tokens: number,
): Promise<string> {
  const ids = promptOf(subject, exchange, system, tokens)
  const answer: number[] = []
  const request = { ids, casting, sampling: GREEDY, maxTokens: tokens, stopIds: subject.stopIds }
  for await (const id of subject.backbone.generate(request)) answer.push(id)
  return subject.codec.tokenizer.decode(answer).trim()
}
