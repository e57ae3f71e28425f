import type { SplitDialogue } from '../core/dialogue.ts'
import { Random } from '../core/random.ts'
import { codecOf } from '../model/chatModel.ts'
import { measureConversation } from './conversation.ts'
import type { ConversationFigures, RoleSheet } from './conversation.ts'
import { evaluatePack } from './evaluate.ts'
import type { Evaluation, EvaluationOptions, EvaluationProgress } from './evaluate.ts'
import { measureFacts } from './facts.ts'
import type { FactFigures } from './facts.ts'
import type { EvaluationSubject } from './generation.ts'
import { playersOf } from './players.ts'
import { measureRelevance } from './relevance.ts'
import type { RelevanceFigures } from './relevance.ts'

/** `voice`: whether they sound like themselves; the others: whether what they say makes sense. */
export const MEASURES = ['voice', 'relevance', 'facts', 'conversation'] as const
export type Measure = (typeof MEASURES)[number]

export interface MeasureOptions extends EvaluationOptions {
  readonly measures: readonly Measure[]
  /** Questions of a role and a split that are answered for `relevance`. */
  readonly questions: number
  /** Facts of a role that are asked about. */
  readonly facts: number
  /** Chats of a role. */
  readonly chats: number
}

/** How many of each, so that it takes minutes, and without a limit. */
export const QUICK_MEASURES = { questions: 4, facts: 4, chats: 1 } as const
export const WHOLE_MEASURES = { questions: Infinity, facts: Infinity, chats: Infinity } as const

/** What was measured; null where the data or the sheets have nothing of the pack's roles. */
export interface Report extends Partial<Evaluation> {
  readonly relevance?: RelevanceFigures | null
  readonly facts?: FactFigures | null
  readonly conversation?: ConversationFigures | null
}

/** The streams of random numbers that questions and facts are drawn from, so that neither depends on the other. */
const STREAMS = { relevance: 11, facts: 12 } as const

/**
 * Takes the measures that are asked for, one after the other.
 *
 * @param sheets by role: what is known of it.
 * @throws HycoraError as `evaluatePack`.
 */
export async function* takeMeasures(
  subject: EvaluationSubject,
  dialogues: readonly SplitDialogue[],
  sheets: ReadonlyMap<string, RoleSheet>,
  options: MeasureOptions,
): AsyncGenerator<EvaluationProgress, Report> {
  const { measures, questions, chats } = options
  const players = playersOf(subject.pack)
  const randomOf = (measure: keyof typeof STREAMS): Random => new Random(options.seed, STREAMS[measure])
  const voice = measures.includes('voice') ? yield* evaluatePack(subject, dialogues, options) : {}
  let report: Report = voice
  if (measures.includes('relevance')) {
    const codec = codecOf(subject.model, subject.name)
    const scoring = { backbone: subject.backbone, codec, replyTokens: options.replyTokens }
    const drawn = { count: questions, random: randomOf('relevance') }
    const relevance = yield* named('relevance', measureRelevance(subject, scoring, players, dialogues, drawn))
    report = { ...report, relevance }
  }
  if (measures.includes('facts')) {
    const factsOf = new Map([...sheets].map(([role, sheet]) => [role, sheet.facts]))
    const drawn = { count: options.facts, random: randomOf('facts') }
    report = { ...report, facts: yield* named('facts', measureFacts(subject, players, factsOf, drawn)) }
  }
  if (measures.includes('conversation')) {
    const drawn = { chats, seed: options.seed }
    const conversation = yield* named('conversation', measureConversation(subject, players, sheets, drawn))
    report = { ...report, conversation }
  }
  return report
}

/** The progress of a measure under its name. */
async function* named<T>(
  phase: EvaluationProgress['phase'],
  measure: AsyncGenerator<{ readonly done: number; readonly all: number }, T>,
): AsyncGenerator<EvaluationProgress, T> {
  for (;;) {
    const next = await measure.next()
    if (next.done) return next.value
    yield { phase, ...next.value }
  }
}
