import type { Turn } from '../core/dialogue.ts'
import { HycoraError } from '../core/errors.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Sampling } from '../core/sampling.ts'
import type { Pack } from '../formats/pack.ts'
import { promptFor, speak, wholeAnswer } from '../play/speak.ts'
import type { Delivery, Voice } from '../play/speak.ts'
import { cueAs } from '../play/stage.ts'
import type { Exchange } from './exchanges.ts'
import { rememberText } from './memory.ts'
import type { Memory } from './memory.ts'
import type { Condition } from './nll.ts'

/** What is evaluated: a backbone with the pack attached. */
export interface EvaluationSubject extends Voice {
  readonly pack: Pack
  readonly memory?: Memory
  /** What is done to the logits of every answer, in place of what is usual. */
  readonly decoding?: Partial<Pick<Sampling, 'guidance' | 'roleGuidance' | 'endBonus' | 'endAfter'>>
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

/** The whole answer to what was said last, without the spaces around it; whoever plays is reminded as in a chat. */
export function answerAs(
  subject: EvaluationSubject,
  { system, casting }: Condition,
  turns: readonly Turn[],
  { maxTokens, ...given }: Pick<Delivery, 'sampling' | 'maxTokens'>,
): Promise<string> {
  const manner = { sampling: { ...given.sampling, ...subject.decoding }, maxTokens }
  const asked = { system, turns: turns.map(({ speaker, text }) => [speaker, text]), ...manner }
  return rememberText(subject.memory, { kind: 'answer', casting, asked }, async () => {
    const cue = await cueAs(subject, { pack: subject.pack, casting }, { system, turns, continueLast: false })
    const { text } = await wholeAnswer(speak(subject, cue, { casting, ...manner }))
    return text.trim()
  })
}

/**
 * The answer to what the visitor said before a reply, always the likeliest token.
 *
 * @param tokens of it at most.
 */
export function generateReply(
  subject: EvaluationSubject,
  exchange: Exchange,
  condition: Condition,
  tokens: number,
): Promise<string> {
  return answerAs(subject, condition, exchange.turns, { sampling: GREEDY, maxTokens: tokens })
}
