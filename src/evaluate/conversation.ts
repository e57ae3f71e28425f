import type { Turn } from '../core/dialogue.ts'
import { Random } from '../core/random.ts'
import { usualSampling } from '../play/usualSampling.ts'
import type { Fact } from './facts.ts'
import { answerAs } from './generation.ts'
import type { EvaluationSubject } from './generation.ts'
import { mean } from './nll.ts'
import { holdsPhrase, plainWords, stemsOf } from './phrases.ts'
import type { Player } from './players.ts'
import { sentences } from './words.ts'

/**
 * What a visitor says to everybody, eight lines a chat; never changed, so that figures can be compared over the years.
 * None of them is in the lines that teach the cast, but for single words.
 */
export const CHATS: readonly (readonly string[])[] = [
  [
    'Good day! I do not think we have met before.',
    'Whereabouts is your home?',
    'Who is waiting for you there?',
    'And when you are not at home, what keeps you busy all day?',
    'Is that hard to do?',
    'Who is the one person that you would trust with anything?',
    'Remind me, where was it that you live?',
    'I must be off now, it was nice to hear all that.',
  ],
  [
    'hi there, got five minutes for me?',
    'I had a rotten day at work today, to be honest.',
    'My boss told me off with the whole office listening.',
    'What would you have done in my place?',
    'Has anybody ever told you off like that?',
    'Who is your greatest enemy, would you say?',
    'Why?',
    'ok, that cheered me up. Speak to you soon!',
  ],
  [
    'Could you spare a moment to tell me who I am talking to?',
    'And how many years old are you by now?',
    'Have you got any sisters or brothers?',
    'What do you like to eat when nobody is looking?',
    'Have you ever been really frightened?',
    'And how did that end for you?',
    'Which is the thing you own that you would never give away?',
    'One last question: what is your name again?',
  ],
]

/** What is wrong with a turn of a chat. */
export interface TurnFaults {
  /** It says what an earlier turn of the chat said. */
  readonly repeats: boolean
  /** The facts that it contradicts. */
  readonly contradicts: readonly string[]
  /** The other speaker that it names or speaks for. */
  readonly names: string | null
}

export interface ConversationFigures {
  /** Shares of turns. */
  readonly repeats: number
  readonly contradicts: number
  readonly names: number
  readonly turns: number
  readonly chats: readonly {
    readonly role: string
    readonly turns: readonly (TurnFaults & { readonly said: string; readonly answer: string })[]
  }[]
}

/** What is known of a role when its turns are judged. */
export interface RoleSheet {
  readonly facts: readonly Fact[]
  /** By which others would call it. */
  readonly names: readonly string[]
}

/** The tokens of a turn at most. */
const TURN_TOKENS = 80
/** The first of the streams from which the turns of a chat have their seeds, the same ones for every role. */
const SEED_STREAM = 20
/** The runs of words by which turns are told to be alike, and the share of a turn's that another must have. */
const RUN = 3
const ALIKE = 0.6
/** What stands before a line as in a play: a part in the chat, or two capitalised words and more. */
const LABELS = [
  /^[\s*"“]*(user|assistant|system|visitor|stranger|guest)\s?:/imu,
  /^[\s*"“]*(\p{Lu}[\p{L}.’']*(?: \p{Lu}[\p{L}.’']*)+)\s?:/mu,
]

function runsOf(text: string): ReadonlySet<string> {
  const words = plainWords(text).split(' ')
  return new Set(words.slice(RUN - 1).map((_, start) => words.slice(start, start + RUN).join(' ')))
}

/** Whether a turn says again what an earlier one said: the same words, or most of its runs of three words. */
export function repeatsEarlier(text: string, earlier: readonly string[]): boolean {
  const [words, runs] = [plainWords(text), runsOf(text)]
  return earlier.some((other) => {
    if (plainWords(other) === words) return true
    const known = runsOf(other)
    const shorter = Math.min(runs.size, known.size)
    return shorter > 1 && [...runs].filter((run) => known.has(run)).length >= ALIKE * shorter
  })
}

/**
 * The facts that an answer contradicts: one of its sentences holds what would be wrong and nothing of what is right, and
 * it, or what the visitor asked, speaks of that fact: it has the stems by which the fact is stated, but for those of the
 * answers to it, or most of those of a question about it.
 */
export function contradictedFacts(said: string, answer: string, facts: readonly Fact[]): string[] {
  const wrong = facts.filter((fact) => {
    if (!holdsPhrase(answer, fact.wrong) || holdsPhrase(answer, fact.accept)) return false
    return sentences(answer).some((sentence) => {
      return holdsPhrase(sentence, fact.wrong) && speaksOf(`${said} ${sentence}`, fact)
    })
  })
  return wrong.map(({ id }) => id)
}

/** A share of the stems of a statement that a text has when it speaks of the same. */
const SAME_MATTER = 0.75

function speaksOf(text: string, { fact, ask, accept, wrong }: Fact): boolean {
  const own = stemsOf(text)
  const answers = new Set([...accept, ...wrong].flatMap((phrase) => [...stemsOf(phrase)]))
  return [fact, ...ask].some((statement) => {
    const stems = [...stemsOf(statement)].filter((stem) => !answers.has(stem))
    const common = stems.filter((stem) => own.has(stem)).length
    return stems.length > 0 && common >= SAME_MATTER * stems.length
  })
}

/**
 * The other speaker whom an answer names, or whose label stands before a line of it; null where there is none.
 *
 * @param others names that nothing of the role's own world has.
 */
export function otherSpeaker(said: string, answer: string, others: readonly string[]): string | null {
  const label = LABELS.map((pattern) => pattern.exec(answer)?.[1]).find((name) => name !== undefined)
  if (label !== undefined) return label
  const words = ` ${answer.replaceAll(/[^\p{L}\p{N}]+/gu, ' ')} `
  const named = others.find((name) => words.includes(` ${name} `))
  return named === undefined || holdsPhrase(said, [named]) ? null : named
}

/** The names of all others that mean nobody in a role's own world. */
export function strangersTo(role: string, sheets: ReadonlyMap<string, RoleSheet>): string[] {
  const own = sheets.get(role)
  const world = [
    role,
    ...(own?.names ?? []),
    ...(own?.facts ?? []).flatMap(({ fact, accept, wrong }) => [fact, ...accept, ...wrong]),
  ].join('. ')
  const others = [...sheets].filter(([name]) => name !== role).flatMap(([, { names }]) => names)
  return others.filter((name) => !holdsPhrase(world, [name]))
}

/**
 * Has each player chat with a visitor who says fixed lines, behind its greeting, with the page's sampler; every turn is
 * judged by rules, without a model.
 *
 * @param chats of a player, at most those of `CHATS`.
 */
export async function* measureConversation(
  subject: EvaluationSubject,
  players: readonly Player[],
  sheets: ReadonlyMap<string, RoleSheet>,
  { chats, seed }: { readonly chats: number; readonly seed: number },
): AsyncGenerator<{ readonly done: number; readonly all: number }, ConversationFigures | null> {
  const planned = players.flatMap((player) =>
    CHATS.slice(0, chats).map((lines, chat) => ({ player, lines, chat })),
  )
  const all = planned.reduce((sum, { lines }) => sum + lines.length, 0)
  const held: ConversationFigures['chats'][number][] = []
  let done = 0
  for (const { player, lines, chat } of planned) {
    const random = new Random(seed, SEED_STREAM + chat)
    const { name: role, line: system, casting, greeting } = player
    const others = strangersTo(role, sheets)
    const facts = sheets.get(role)?.facts ?? []
    const turns: Turn[] = [...greeting]
    const judged: ConversationFigures['chats'][number]['turns'][number][] = []
    for (const said of lines) {
      turns.push({ speaker: 'user', text: said })
      const sampling = usualSampling(subject.backbone, random.nextU32())
      const manner = { sampling, maxTokens: TURN_TOKENS }
      const answer = await answerAs(subject, { system, casting }, turns, manner)
      const earlier = turns.filter(({ speaker }) => speaker === 'role').map(({ text }) => text)
      turns.push({ speaker: 'role', text: answer })
      judged.push({
        said,
        answer,
        repeats: repeatsEarlier(answer, earlier),
        contradicts: contradictedFacts(said, answer, facts),
        names: otherSpeaker(said, answer, others),
      })
      yield { done: ++done, all }
    }
    held.push({ role, turns: judged })
  }
  return planned.length === 0 ? null : summariseConversation(held)
}

/** The shares of faulty turns over all chats. */
export function summariseConversation(chats: ConversationFigures['chats']): ConversationFigures {
  const turns = chats.flatMap((chat) => chat.turns)
  const share = (isFaulty: (faults: TurnFaults) => boolean): number =>
    mean(turns.map((turn) => (isFaulty(turn) ? 1 : 0)))
  return {
    repeats: share(({ repeats }) => repeats),
    contradicts: share(({ contradicts }) => contradicts.length > 0),
    names: share(({ names }) => names !== null),
    turns: turns.length,
    chats,
  }
}
