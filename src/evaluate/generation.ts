import { HycoraError } from '../core/errors.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Pack } from '../formats/pack.ts'
import { promptFor, speak, wholeAnswer } from '../play/speak.ts'
import type { Voice } from '../play/speak.ts'
import type { Exchange } from './exchanges.ts'
import type { Condition } from './nll.ts'

/** What is evaluated: a backbone with the pack attached. */
export interface EvaluationSubject extends Voice {
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

/** Whether a visitor has spoken before the reply and the prompt leaves room for an answer. */
export function isAnswerable(
  subject: EvaluationSubject,
  exchange: Exchange,
  system: string | null,
  tokens: number,
): boolean {
  if (exchange.turns.length === 0) return false
  try {
    return promptFor(subject, { system, turns: exchange.turns }, tokens).ids.length > 0
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
  const delivery = { casting, sampling: GREEDY, maxTokens: tokens }
  const { text } = await wholeAnswer(speak(subject, { system, turns: exchange.turns }, delivery))
  return text.trim()
}
