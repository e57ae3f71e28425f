import { countsAsReply } from '../core/dialogue.ts'
import type { Split, SplitDialogue } from '../core/dialogue.ts'
import { Random } from '../core/random.ts'
import { check } from '../core/errors.ts'
import { codecOf } from '../model/chatModel.ts'
import { sentenceBleu } from './bleu.ts'
import { distinct2 } from './distinct.ts'
import { exchangesOf, measuredDialogues, sampleExchanges } from './exchanges.ts'
import type { Exchange } from './exchanges.ts'
import { generateReply, isAnswerable } from './generation.ts'
import type { EvaluationSubject, GeneratedReply } from './generation.ts'
import { rememberNumbers } from './memory.ts'
import { fitDialogue, fitSystem, mean, meanByRole, scoreDialogue } from './nll.ts'
import type { Condition, MeasuredDialogue, ReplyScore, Scoring } from './nll.ts'
import { playersOf } from './players.ts'
import { identificationAccuracy, trainClassifier } from './roleIdentification.ts'
import type { LabelledReply } from './roleIdentification.ts'
import { summariseSwap } from './roleSwap.ts'
import type { RoleSwap } from './roleSwap.ts'
import { rougeOfMany } from './rouge.ts'
import type { RougeScores } from './rouge.ts'
import { bleuWords, rougeText } from './words.ts'

export interface EvaluationOptions {
  /** Held-out exchanges of a role that are measured. */
  readonly exchanges: number
  /** Tokens of a reply that count at most. */
  readonly replyTokens: number
  /** Exchanges of a role whose reply is also generated. */
  readonly generations: number
  readonly generatedTokens: number
  readonly seed: number
  /** Which held-out dialogues are measured: unseen questions, or unseen wordings of known ones. */
  readonly split: Exclude<Split, 'train'>
}

/** Minutes on two cores. */
export const QUICK_EVALUATION: EvaluationOptions = {
  exchanges: 10,
  replyTokens: 40,
  generations: 4,
  generatedTokens: 40,
  seed: 42,
  split: 'test',
}

/** Every held-out exchange, whole replies. */
export const WHOLE_EVALUATION: EvaluationOptions = {
  exchanges: Infinity,
  replyTokens: Infinity,
  generations: Infinity,
  generatedTokens: 128,
  seed: 42,
  split: 'test',
}

/**
 * How far a part of the evaluation is: without anything, with the card as system text, as the roles; or one of the
 * measures of what the roles answer.
 */
export interface EvaluationProgress {
  readonly phase: 'bare' | 'prompted' | 'roles' | 'relevance' | 'facts' | 'conversation'
  readonly done: number
  readonly all: number
}

/** The figures of a pack on held-out exchanges; NLLs in nats a token. */
export interface Evaluation {
  readonly roles: readonly string[]
  /** Mean over a reply's tokens, then over replies, then over roles: without anything, with the card as system text, as the role. */
  readonly nll: { readonly bare: number; readonly prompted: number; readonly role: number }
  readonly roleSwap: RoleSwap
  /** Of generated replies, of held-out ones, of the bare backbone's; null without training rows to learn from. */
  readonly roleIdentification: {
    readonly accuracy: number | null
    readonly ceiling: number | null
    readonly floor: number | null
  }
  readonly distinct2: number
  /** BLEU-4. */
  readonly bleu: number
  /** F of ROUGE-L. */
  readonly rouge: number
  readonly details: {
    readonly replies: number
    readonly generations: number
    /** A number a role. */
    readonly nllByRole: { readonly bare: number[]; readonly prompted: number[]; readonly role: number[] }
    /** BLEU-1 to BLEU-4. */
    readonly bleu: readonly number[]
    readonly rouge: RougeScores
    readonly samples: readonly GeneratedReply[]
  }
}

const BARE: Condition = { system: null, casting: null }

/**
 * Measures a pack on held-out exchanges without a judge: likelihood of the replies bare, with the card as prompt and as
 * the role; the role-swap matrix; whose the generated replies are taken for; distinct-2, BLEU and ROUGE.
 *
 * @param dialogues with their split: `options.split` is measured, `train` teaches the classifier of speakers.
 * @throws HycoraError `usage` when no role of the pack has a held-out exchange.
 */
export async function* evaluatePack(
  subject: EvaluationSubject,
  dialogues: readonly SplitDialogue[],
  options: EvaluationOptions,
): AsyncGenerator<EvaluationProgress, Evaluation> {
  const codec = codecOf(subject.model, subject.name)
  const scoring: Scoring = { backbone: subject.backbone, codec, replyTokens: options.replyTokens }
  const { cast, lines, measured, asked } = chooseExchanges(subject, scoring, dialogues, options)
  const roles = cast.map(({ name }) => name)
  const work = { subject, scoring, tokens: options.generatedTokens }

  const bare = yield* runPhase(work, 'bare', measured, asked, () => BARE)
  const cards = new Map(cast.map(({ name, card }) => [name, card]))
  const prompted = yield* runPhase(work, 'prompted', measured, [], (dialogue) => {
    const card = cards.get(dialogue.role) ?? ''
    return { system: card === '' ? null : fitSystem(scoring, dialogue, card), casting: null }
  })
  const swapped: PhaseResult[] = []
  for (const { name, casting } of cast) {
    // A role answers while its adapter is at hand.
    const own = asked.filter(({ role }) => role === name)
    const phase = runPhase(work, 'roles', measured, own, ({ role }) => {
      return { system: lines.get(role) ?? null, casting }
    })
    swapped.push(yield* partOf(phase, swapped.length, cast.length))
  }
  const scores = swapped.map((part) => part.scores)
  const roleSwap = summariseSwap(roles, scores)
  const played = scores.flatMap((each, index) => each.filter(({ role }) => role === roles[index]))
  const answers = swapped.flatMap((part) => part.answers)
  const samples = asked.map(({ role, turns }, index) => ({
    role,
    said: turns.at(-1)?.text ?? '',
    reply: answers[index] ?? '',
    bare: bare.answers[index] ?? '',
  }))
  const text = textScores(samples, asked)
  const nllByRole = {
    bare: meanByRole(bare.scores, roles),
    prompted: meanByRole(prompted.scores, roles),
    role: meanByRole(played, roles),
  }
  return {
    roles,
    nll: { bare: mean(nllByRole.bare), prompted: mean(nllByRole.prompted), role: mean(nllByRole.role) },
    roleSwap,
    roleIdentification: identify(dialogues, roles, samples, options),
    distinct2: distinct2(samples.map(({ reply }) => reply)),
    bleu: text.bleu[3] ?? 0,
    rouge: text.rouge.rougeL.f,
    details: { replies: bare.scores.length, generations: samples.length, nllByRole, ...text, samples },
  }
}

/** Whose held-out exchanges are measured, and which of them are answered. @throws HycoraError as `evaluatePack`. */
function chooseExchanges(
  subject: EvaluationSubject,
  scoring: Scoring,
  dialogues: readonly SplitDialogue[],
  options: EvaluationOptions,
) {
  const { pack } = subject
  const heldOut = dialogues.filter(({ split }) => split === options.split)
  const all = playersOf(pack)
  const lines = new Map(all.map(({ name, line }) => [name, line]))
  const random = new Random(options.seed, 3)
  const sampled = sampleExchanges(exchangesOf(heldOut), [...lines.keys()], options.exchanges, random)
  const measured = measuredDialogues(sampled).flatMap((dialogue) => {
    return fitDialogue(scoring, dialogue, lines.get(dialogue.role) ?? null) ?? []
  })
  const cast = all.filter(({ name }) => measured.some(({ role }) => role === name))
  check(cast.length > 0, 'usage', () => `the data has no held-out exchange of a role of ${pack.name}`)
  const asked = cast.flatMap(({ name, line }) =>
    sampled
      .filter((exchange) => exchange.role === name)
      .filter((exchange) => isAnswerable(subject, exchange, line, options.generatedTokens))
      .slice(0, options.generations),
  )
  return { cast, lines, measured, asked }
}

interface Work {
  readonly subject: EvaluationSubject
  readonly scoring: Scoring
  /** Of a generated reply at most. */
  readonly tokens: number
}

interface PhaseResult {
  readonly scores: readonly ReplyScore[]
  readonly answers: readonly string[]
}

/** Measures the dialogues, then has the exchanges answered, each under its condition. */
async function* runPhase(
  { subject, scoring, tokens }: Work,
  phase: EvaluationProgress['phase'],
  measured: readonly MeasuredDialogue[],
  asked: readonly Exchange[],
  conditionOf: (dialogue: MeasuredDialogue) => Condition,
): AsyncGenerator<EvaluationProgress, PhaseResult> {
  const all = measured.length + asked.length
  const scores: ReplyScore[] = []
  for (const [index, dialogue] of measured.entries()) {
    scores.push(...(await scoreBefore(subject, scoring, dialogue, conditionOf(dialogue))))
    yield { phase, done: index + 1, all }
  }
  const answers: string[] = []
  for (const exchange of asked) {
    const condition = conditionOf({ ...exchange, wanted: [] })
    answers.push(await generateReply(subject, exchange, condition, tokens))
    yield { phase, done: measured.length + answers.length, all }
  }
  return { scores, answers }
}

/** The scores of a dialogue's wanted replies, of an earlier run where there was one. */
async function scoreBefore(
  { memory }: EvaluationSubject,
  scoring: Scoring,
  dialogue: MeasuredDialogue,
  condition: Condition,
): Promise<ReplyScore[]> {
  const { turns, wanted, role } = dialogue
  const { system, casting } = condition
  const asked = { system, turns, wanted, tokens: String(scoring.replyTokens) }
  const nlls = await rememberNumbers(memory, { kind: 'scores', casting, asked }, async () => {
    return (await scoreDialogue(scoring, dialogue, condition)).map(({ nll }) => nll)
  })
  return nlls.map((nll) => ({ role, nll }))
}

/** The progress of one of several parts of a phase. */
async function* partOf<T>(
  part: AsyncGenerator<EvaluationProgress, T>,
  before: number,
  parts: number,
): AsyncGenerator<EvaluationProgress, T> {
  for (;;) {
    const next = await part.next()
    if (next.done) return next.value
    const { phase, done, all } = next.value
    yield { phase, done: before * all + done, all: parts * all }
  }
}

/** Mean BLEU and ROUGE of the generated replies against all held-out replies to the same words. */
function textScores(
  samples: readonly GeneratedReply[],
  asked: readonly Exchange[],
): { readonly bleu: readonly number[]; readonly rouge: RougeScores } {
  const references = asked.map((exchange) => exchange.references)
  const bleu = samples.map(({ reply }, index) => {
    return sentenceBleu((references[index] ?? []).map(bleuWords), bleuWords(reply))
  })
  const rouge = samples.map(({ reply }, index) => {
    return rougeOfMany(rougeText(reply), (references[index] ?? []).map(rougeText))
  })
  const average = (key: keyof RougeScores): RougeScores['rougeL'] => ({
    r: mean(rouge.map((scores) => scores[key].r)),
    p: mean(rouge.map((scores) => scores[key].p)),
    f: mean(rouge.map((scores) => scores[key].f)),
  })
  return {
    bleu: [0, 1, 2, 3].map((order) => mean(bleu.map((scores) => scores[order] ?? 0))),
    rouge: { rouge1: average('rouge1'), rouge2: average('rouge2'), rougeL: average('rougeL') },
  }
}

/** Has a classifier that learnt from the training replies name the speakers. */
function identify(
  dialogues: readonly SplitDialogue[],
  roles: readonly string[],
  samples: readonly GeneratedReply[],
  { seed, split: heldOut }: EvaluationOptions,
): Evaluation['roleIdentification'] {
  // An answer to several wordings of a question counts once.
  const repliesOf = (split: Split): LabelledReply[] => {
    const own = dialogues.filter((dialogue) => dialogue.split === split)
    return roles.flatMap((name, role) => {
      const said = own.filter((dialogue) => dialogue.role === name).flatMap(({ turns }) => turns)
      return [...new Set(said.filter(countsAsReply).map(({ text }) => text))].map((text) => ({ text, role }))
    })
  }
  const training = repliesOf('train')
  if (training.length === 0) return { accuracy: null, ceiling: null, floor: null }
  const classify = trainClassifier(training, roles.length, seed)
  const labelled = (key: 'reply' | 'bare'): LabelledReply[] => {
    return samples.map((sample) => ({ text: sample[key], role: roles.indexOf(sample.role) }))
  }
  return {
    accuracy: identificationAccuracy(classify, labelled('reply')),
    ceiling: identificationAccuracy(classify, repliesOf(heldOut)),
    floor: identificationAccuracy(classify, labelled('bare')),
  }
}
