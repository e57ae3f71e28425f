import type { BenchCase, BenchRow } from './report.ts'
import { interleave, roundsWithin, timeOf, timeTokens } from '../../bench/timing.ts'
import type { DecodeTiming } from '../../bench/timing.ts'
import { generateGreedy, promptIds } from '../../bench/prompts.ts'
import type { Opponent, BenchSubject } from './subject.ts'

/** The rounds of a case take about this long at most, whatever the adapter: slow ones get fewer. */
export const CASE_BUDGET_MS = 20_000

/** A prompt that both sides together would read for longer than this is left out. */
const LONGEST_READING_MS = 60_000

const SHORT_PROMPT = 8

/** The length of the prompt that tells how long a longer one would take. */
const PROBE = 32
const TOKENS_PER_SECOND = 1000

function seeds(): () => number {
  let seed = 1
  return () => ++seed
}

function agreement(a: readonly number[], b: readonly number[]): string {
  const different = a.findIndex((id, index) => id !== b[index])
  return `${different < 0 ? a.length : different}/${a.length}`
}

function missing(subject: BenchSubject, name: BenchCase, opponent: Opponent & { rival: null }): BenchRow {
  return subject.row(name, { unit: 'tokens/s', rivalName: opponent.name, note: opponent.note })
}

/** Tokens a second of a greedy answer to a short prompt. */
export async function decodeCase(subject: BenchSubject, opponent: Opponent): Promise<BenchRow> {
  const { rival } = opponent
  if (!rival) return missing(subject, 'decode', opponent)
  const { backbone, tokens, rounds } = subject
  const { vocabulary } = backbone.shape
  const nextSeed = seeds()
  const firstTokens = { own: [] as number[], rival: [] as number[] }
  const runOwn = (ids: readonly number[]): Promise<DecodeTiming> =>
    timeTokens(() => generateGreedy(backbone, ids, tokens))
  const runRival = (ids: readonly number[]): Promise<DecodeTiming> =>
    timeTokens(() => rival.generate(ids, tokens))

  const warmUpIds = promptIds(SHORT_PROMPT, vocabulary, nextSeed())
  const cold = { own: await runOwn(warmUpIds), rival: await runRival(warmUpIds) }
  const roundMs = 2 * tokens * (cold.own.tokenMs + cold.rival.tokenMs)
  const counted = roundsWithin(CASE_BUDGET_MS, roundMs, rounds)
  const measure =
    (run: typeof runOwn, firsts: number[]): (() => Promise<number>) =>
    async () => {
      const timing = await run(promptIds(SHORT_PROMPT, vocabulary, nextSeed()))
      firsts.push(timing.firstTokenMs)
      return timing.tokenMs
    }
  const [own, theirs] = await interleave(
    counted,
    measure(runOwn, firstTokens.own),
    measure(runRival, firstTokens.rival),
  )
  return subject.row('decode', {
    ours: TOKENS_PER_SECOND / own,
    rival: TOKENS_PER_SECOND / theirs,
    unit: 'tokens/s',
    rivalName: rival.name,
    nmse: opponent.nmse,
    rounds: counted,
    dispatchesPerToken: backbone.dispatchesPerToken(),
    firstTokenMsCold: cold.own.firstTokenMs,
    firstTokenMsWarm: Math.min(...firstTokens.own),
    rivalFirstTokenMsCold: cold.rival.firstTokenMs,
    rivalFirstTokenMsWarm: Math.min(...firstTokens.rival),
    sameTokens: agreement(cold.own.ids, cold.rival.ids),
  })
}

/** Tokens a second of reading a prompt. */
export async function prefillCase(
  subject: BenchSubject,
  opponent: Opponent,
  size: number,
): Promise<BenchRow> {
  const name = `prefill-${size}` as BenchCase
  const { rival } = opponent
  if (!rival) return missing(subject, name, opponent)
  const { backbone, rounds } = subject
  const { vocabulary } = backbone.shape
  // The last position of the context is for the token that follows the prompt.
  const count = Math.min(size, backbone.context - 1)
  if (count < 0.9 * size) {
    const note = `left out: this backbone holds ${backbone.context} tokens here`
    return subject.row(name, { unit: 'tokens/s', rivalName: rival.name, note })
  }
  const nextSeed = seeds()
  const own = (length = count): Promise<number> => {
    const ids = promptIds(length, vocabulary, nextSeed())
    return timeOf(async () => {
      for await (const id of generateGreedy(backbone, ids, 1)) if (id < 0) break
    })
  }
  const theirs = (length = count): Promise<number> => {
    const ids = promptIds(length, vocabulary, nextSeed())
    return timeOf(() => rival.prefill(ids))
  }
  await own(SHORT_PROMPT)
  await theirs(SHORT_PROMPT)
  const estimate = ((await own(PROBE)) + (await theirs(PROBE))) * (count / PROBE)
  if (estimate > LONGEST_READING_MS) {
    const note = `left out: reading it once on either side would take about ${Math.round(estimate / 1000)} s here`
    return subject.row(name, { unit: 'tokens/s', rivalName: rival.name, note })
  }
  const pairMs = (await own()) + (await theirs())
  const counted = roundsWithin(CASE_BUDGET_MS, 2 * pairMs, rounds)
  const [ownMs, rivalMs] = await interleave(
    counted,
    () => own(),
    () => theirs(),
  )
  return subject.row(name, {
    ours: (count * TOKENS_PER_SECOND) / ownMs,
    rival: (count * TOKENS_PER_SECOND) / rivalMs,
    unit: 'tokens/s',
    rivalName: rival.name,
    nmse: opponent.nmse,
    rounds: counted,
    ...(count < size ? { note: `${count} tokens: one position stays free for the next token` } : {}),
  })
}
