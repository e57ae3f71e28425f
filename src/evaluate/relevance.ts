import type { SplitDialogue, Split } from '../core/dialogue.ts'
import type { Random } from '../core/random.ts'
import { GREEDY } from '../core/sampling.ts'
import { shuffled } from '../core/shuffle.ts'
import { exchangesOf } from './exchanges.ts'
import { answerAs } from './generation.ts'
import type { EvaluationSubject } from './generation.ts'
import { rememberNumbers } from './memory.ts'
import { mean, scoreDialogue } from './nll.ts'
import type { Scoring } from './nll.ts'
import { plainWords } from './phrases.ts'
import type { Player } from './players.ts'

/** A question that can be understood by itself, and the character's answer in the data. */
export interface Inquiry {
  readonly role: string
  /** Wordings of one question have one item. */
  readonly item: string
  readonly question: string
  readonly reply: string
}

/** How often the bare backbone can tell which question an answer was given for. */
export interface RelevanceShares {
  /** Of generated answers; chance is one in `questions`. */
  readonly accuracy: number
  /** Of the data's own answers. */
  readonly ceiling: number
  /** Of the generated answers when each is said to be for another question. */
  readonly floor: number
  /** Mean of log p(answer | its question) less its mean over the questions, in nats a token. */
  readonly margin: number
  readonly answers: number
}

export interface RelevanceFigures extends RelevanceShares {
  /** Unseen questions and unseen wordings apart; null where the data holds none. */
  readonly splits: {
    readonly test: RelevanceShares | null
    readonly wording: RelevanceShares | null
  }
  readonly samples: readonly (Inquiry & {
    readonly split: Split
    readonly answer: string
    readonly isTold: boolean
  })[]
}

/** Questions that an answer is held against. */
const QUESTIONS = 8
/** One more, so that an answer can also be held against as many without its own. */
const GROUP = QUESTIONS + 1
/** The tokens of an answer at most, generated or the data's own. */
const ANSWER_TOKENS = 40
const BARE = { system: null, casting: null }

/** A few questions of one character, of which the first ones are answered. */
export interface InquiryGroup {
  readonly asked: readonly Inquiry[]
  readonly questions: readonly Inquiry[]
}

/** The last exchanges of dialogues of which each is a wording of a question, or opens a chat. */
export function inquiriesOf(dialogues: readonly SplitDialogue[]): Inquiry[] {
  return exchangesOf(dialogues).flatMap(({ role, dialogue, turns, references: [reply = ''] }) => {
    const said = turns.filter(({ speaker }) => speaker === 'user')
    const question = turns.at(-1)
    const isWhole = dialogue.item !== undefined || said.length === 1
    if (!isWhole || question?.speaker !== 'user') return []
    const text = question.text
    return [{ role, item: dialogue.item ?? plainWords(text), question: text, reply }]
  })
}

/** A random choice of at most `count` inquiries of one character, no two of one item, each among nine of its questions. */
export function groupInquiries(own: readonly Inquiry[], count: number, random: Random): InquiryGroup[] {
  const items = new Set<string>()
  const texts = new Set<string>()
  const pool = shuffled(own, random).filter(({ item, question }) => {
    const words = plainWords(question)
    if (items.has(item) || texts.has(words)) return false
    items.add(item)
    texts.add(words)
    return true
  })
  const asked = pool.slice(0, count)
  const groups = Array.from({ length: Math.ceil(asked.length / GROUP) }, (_, at) =>
    asked.slice(at * GROUP, (at + 1) * GROUP),
  )
  return groups.map((part) => {
    const others = pool.filter((inquiry) => !part.includes(inquiry))
    return { asked: part, questions: [...part, ...others].slice(0, Math.max(part.length, GROUP)) }
  })
}

/** What the scores of an answer against the questions of its group say. */
export interface Verdict {
  readonly isTold: boolean
  /** Whether it would be taken for the answer to another question, its own left out. */
  readonly isMistold: boolean
  readonly margin: number
}

/**
 * Holds one answer against the questions of its group: against all but the last of the others, and against the others.
 *
 * @param scores log p(answer | question) a token, in the order of the questions.
 * @param own which of them the answer was given for.
 */
export function judgeAnswer(scores: readonly number[], own: number): Verdict {
  const turned = [...scores.slice(own), ...scores.slice(0, own)]
  const against = turned.slice(0, -1)
  const others = turned.slice(1)
  return {
    isTold: isFirstHighest(against),
    isMistold: isFirstHighest(others),
    margin: (against[0] ?? 0) - mean(against),
  }
}

function isFirstHighest([first = -Infinity, ...rest]: readonly number[]): boolean {
  return rest.every((score) => score < first)
}

interface Judged {
  readonly inquiry: Inquiry
  readonly answer: string
  readonly generated: Verdict
  readonly given: Verdict
}

/**
 * Has each player answer held-out questions behind its greeting, always the likeliest words, and the bare backbone say
 * which of eight questions each answer was given for: that under which it is likeliest.
 *
 * @param count questions of a player and a split.
 * @returns null where the data has no held-out question of a player.
 */
export async function* measureRelevance(
  subject: EvaluationSubject,
  scoring: Scoring,
  players: readonly Player[],
  dialogues: readonly SplitDialogue[],
  { count, random }: { readonly count: number; readonly random: Random },
): AsyncGenerator<{ readonly done: number; readonly all: number }, RelevanceFigures | null> {
  const groups = (['test', 'wording'] as const).flatMap((split) => {
    const inquiries = inquiriesOf(dialogues.filter((dialogue) => dialogue.split === split))
    return players.flatMap((player) => {
      const own = inquiries.filter(({ role }) => role === player.name)
      // Against fewer than two others there is nothing to tell.
      const whole = groupInquiries(own, count, random).filter(({ questions }) => questions.length > 2)
      return whole.map((group) => ({ split, player, ...group }))
    })
  })
  const all = groups.length
  if (all === 0) return null
  const judged: { split: 'test' | 'wording'; of: Judged }[] = []
  for (const [index, { split, player, asked, questions }] of groups.entries()) {
    const answers: string[] = []
    for (const inquiry of asked) answers.push(await answerTo(subject, player, inquiry))
    const measured = { ...scoring, replyTokens: ANSWER_TOKENS }
    const replies = asked.map(({ reply }) => reply)
    const scores = await scoreAnswers(subject, measured, questions, [...answers, ...replies])
    for (const [at, inquiry] of asked.entries()) {
      const answer = answers[at] ?? ''
      const generated = judgeAnswer(scores[at] ?? [], at)
      const given = judgeAnswer(scores[asked.length + at] ?? [], at)
      judged.push({ split, of: { inquiry, answer, generated, given } })
    }
    yield { done: index + 1, all }
  }
  const ofSplit = (split: 'test' | 'wording'): RelevanceShares | null => {
    const own = judged.filter((each) => each.split === split)
    return own.length === 0 ? null : summariseRelevance(own.map(({ of }) => of))
  }
  return {
    ...summariseRelevance(judged.map(({ of }) => of)),
    splits: { test: ofSplit('test'), wording: ofSplit('wording') },
    samples: judged.map(({ split, of: { inquiry, answer, generated } }) => {
      return { ...inquiry, split, answer, isTold: generated.isTold }
    }),
  }
}

function answerTo(subject: EvaluationSubject, player: Player, { question }: Inquiry): Promise<string> {
  const { line: system, casting, greeting } = player
  const turns = [...greeting, { speaker: 'user' as const, text: question }]
  return answerAs(subject, { system, casting }, turns, { sampling: GREEDY, maxTokens: ANSWER_TOKENS })
}

/** log p(answer | question) a token of each answer under each question; questions go by so that each is read once. */
async function scoreAnswers(
  { memory }: EvaluationSubject,
  scoring: Scoring,
  questions: readonly Inquiry[],
  answers: readonly string[],
): Promise<number[][]> {
  const scores = answers.map((): number[] => [])
  for (const { role, question } of questions) {
    for (const [index, answer] of answers.entries()) {
      const asked = { question, answer, tokens: ANSWER_TOKENS }
      const turns = [
        { speaker: 'user' as const, text: question },
        { speaker: 'role' as const, text: answer },
      ]
      const known = await rememberNumbers(memory, { kind: 'scores', casting: null, asked }, async () => {
        const measured = await scoreDialogue(scoring, { role, turns, wanted: [0] }, BARE)
        return measured.map(({ nll }) => -nll)
      })
      // What says nothing is an answer to nothing.
      scores[index]?.push(answer === '' ? 0 : (known[0] ?? 0))
    }
  }
  return scores
}

function summariseRelevance(judged: readonly Judged[]): RelevanceShares {
  const share = (isSo: (each: Judged) => boolean): number => mean(judged.map((each) => (isSo(each) ? 1 : 0)))
  return {
    accuracy: share(({ generated }) => generated.isTold),
    ceiling: share(({ given }) => given.isTold),
    floor: share(({ generated }) => generated.isMistold),
    margin: mean(judged.map(({ generated }) => generated.margin)),
    answers: judged.length,
  }
}
