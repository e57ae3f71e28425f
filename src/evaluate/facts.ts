import { HycoraError } from '../core/errors.ts'
import { isJsonRecord, ownField } from '../core/json.ts'
import { GREEDY } from '../core/sampling.ts'
import { answerAs } from './generation.ts'
import type { EvaluationSubject } from './generation.ts'
import { mean } from './nll.ts'
import { holdsPhrase } from './phrases.ts'
import type { Player } from './players.ts'
import type { Random } from '../core/random.ts'
import { shuffled } from '../core/shuffle.ts'

/** Something that a stranger may ask a character about, and how an answer is told to be right. */
export interface Fact {
  readonly id: string
  readonly fact: string
  /** Questions that are in nothing that was learnt. */
  readonly ask: readonly string[]
  /** A right answer holds one of these at the beginning of a word … */
  readonly accept: readonly string[]
  /** … and none of these. */
  readonly wrong: readonly string[]
}

/** What became of one question. */
export interface FactAnswer {
  readonly role: string
  readonly id: string
  readonly question: string
  readonly answer: string
  readonly verdict: 'right' | 'contradicted' | 'missed'
}

export interface FactFigures {
  /** The share of questions that were answered right. */
  readonly accuracy: number
  /** The share of answers that hold what contradicts the fact. */
  readonly contradicted: number
  readonly asked: number
  readonly byRole: readonly { readonly role: string; readonly accuracy: number; readonly asked: number }[]
  readonly answers: readonly FactAnswer[]
}

/** The tokens of an answer at most. */
const ANSWER_TOKENS = 40

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

/**
 * The facts of a sheet, as parsed from its JSON.
 *
 * @param where what the sheet is called, for messages.
 * @throws HycoraError `format-invalid` naming the fact that lacks something.
 */
export function readFacts(value: unknown, where: string): Fact[] {
  const rows: unknown[] | undefined = Array.isArray(value) ? value : undefined
  if (!rows) throw new HycoraError('format-invalid', `${where} is no list of facts`)
  return rows.map((row, index) => {
    const read = isJsonRecord(row) ? readFact((key) => ownField(row, key)) : undefined
    if (read) return read
    const expected = 'expected id, fact, ask and accept with one text or more, wrong'
    throw new HycoraError('format-invalid', `${where}: fact ${index + 1} is not whole, ${expected}`)
  })
}

function readFact(field: (key: string) => unknown): Fact | undefined {
  const [id, fact, ask, accept, wrong] = [
    field('id'),
    field('fact'),
    field('ask'),
    field('accept'),
    field('wrong') ?? [],
  ]
  if (typeof id !== 'string' || typeof fact !== 'string') return undefined
  if (!isTexts(ask) || !isTexts(accept) || !isTexts(wrong)) return undefined
  return ask.length > 0 && accept.length > 0 ? { id, fact, ask, accept, wrong } : undefined
}

/** Whether an answer to a question about a fact is right. */
export function judgeFact(answer: string, { accept, wrong }: Fact): FactAnswer['verdict'] {
  if (holdsPhrase(answer, wrong)) return 'contradicted'
  return holdsPhrase(answer, accept) ? 'right' : 'missed'
}

/**
 * Asks each player about its facts, in every wording that the sheet has, behind its greeting; always the likeliest words.
 *
 * @param count facts of a player that are asked, drawn at random.
 * @returns null where no player has a sheet.
 */
export async function* measureFacts(
  subject: EvaluationSubject,
  players: readonly Player[],
  factsOf: ReadonlyMap<string, readonly Fact[]>,
  { count, random }: { readonly count: number; readonly random: Random },
): AsyncGenerator<{ readonly done: number; readonly all: number }, FactFigures | null> {
  const asked = players.flatMap((player) => {
    const drawn = shuffled(factsOf.get(player.name) ?? [], random).slice(0, count)
    return drawn.flatMap((fact) => fact.ask.map((question) => ({ player, fact, question })))
  })
  if (asked.length === 0) return null
  const answers: FactAnswer[] = []
  for (const { player, fact, question } of asked) {
    const { name: role, line: system, casting, greeting } = player
    const turns = [...greeting, { speaker: 'user' as const, text: question }]
    const manner = { sampling: GREEDY, maxTokens: ANSWER_TOKENS }
    const answer = await answerAs(subject, { system, casting }, turns, manner)
    answers.push({ role, id: fact.id, question, answer, verdict: judgeFact(answer, fact) })
    yield { done: answers.length, all: asked.length }
  }
  return summariseFacts(answers)
}

/** The shares of answers that are right and that contradict, over all and by role. */
export function summariseFacts(answers: readonly FactAnswer[]): FactFigures {
  const share = (some: readonly FactAnswer[], verdict: FactAnswer['verdict']): number =>
    mean(some.map((answer) => (answer.verdict === verdict ? 1 : 0)))
  const roles = [...new Set(answers.map(({ role }) => role))]
  return {
    accuracy: share(answers, 'right'),
    contradicted: share(answers, 'contradicted'),
    asked: answers.length,
    byRole: roles.map((role) => {
      const own = answers.filter((answer) => answer.role === role)
      return { role, accuracy: share(own, 'right'), asked: own.length }
    }),
    answers,
  }
}
