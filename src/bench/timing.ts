/** The middle value; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** Measures something once and returns the number measured. */
export type Timer = () => Promise<number>

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Runs two measures in turn, A-B-B-A in every round, so that a machine that drifts drifts for both. */
async function inRounds(
  rounds: number,
  ours: Timer,
  rival: Timer,
): Promise<{ readonly own: readonly number[]; readonly others: readonly number[] }[]> {
  const results = []
  for (let round = 0; round < rounds; round++) {
    const first = await ours()
    const others = [await rival(), await rival()]
    results.push({ own: [first, await ours()], others })
  }
  return results
}

/**
 * Runs two measures in turn, A-B-B-A in every round.
 *
 * @returns the medians of both.
 */
export async function interleave(rounds: number, ours: Timer, rival: Timer): Promise<[number, number]> {
  const results = await inRounds(rounds, ours, rival)
  return [median(results.flatMap(({ own }) => own)), median(results.flatMap(({ others }) => others))]
}

/** Two measures beside each other, and how their ratio spreads over the rounds. */
export interface Paired {
  /** Medians of both. */
  readonly own: number
  readonly others: number
  /** Rival over ours of each round: the median of the rounds, and the half of them around it. */
  readonly ratio: number
  readonly ratioLow: number
  readonly ratioHigh: number
}

/**
 * Runs two measures in turn, A-B-B-A in every round, and compares them round by round: what else the machine does changes
 * more slowly than that, and a ratio close to 1 is to be told from 1.
 */
export async function interleavePaired(rounds: number, ours: Timer, rival: Timer): Promise<Paired> {
  const results = await inRounds(rounds, ours, rival)
  const ratios = results.map(({ own, others }) => sum(others) / sum(own)).toSorted((a, b) => a - b)
  const quarter = Math.floor(ratios.length / 4)
  return {
    own: median(results.flatMap(({ own }) => own)),
    others: median(results.flatMap(({ others }) => others)),
    ratio: median(ratios),
    ratioLow: ratios[quarter] ?? NaN,
    ratioHigh: ratios.at(-1 - quarter) ?? NaN,
  }
}

/** How many rounds of `roundMs` fit into a budget: at least one, at most what was wanted. */
export function roundsWithin(budgetMs: number, roundMs: number, wanted: number): number {
  return Math.max(1, Math.min(wanted, Math.floor(budgetMs / roundMs)))
}

/** The milliseconds that something takes. */
export async function timeOf(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await action()
  return performance.now() - start
}

/** What decoding took: until the first token, and for each one after it. */
export interface DecodeTiming {
  readonly firstTokenMs: number
  /** Of the mean token, hiccups included. */
  readonly tokenMs: number
  /** Of the middle token: what else the machine does in between hardly moves it. */
  readonly middleTokenMs: number
  readonly ids: readonly number[]
}

/** Times a stream of tokens to its end. */
export async function timeTokens(stream: () => AsyncIterable<number>): Promise<DecodeTiming> {
  const start = performance.now()
  const ids: number[] = []
  const times: number[] = []
  for await (const id of stream()) {
    times.push(performance.now())
    ids.push(id)
  }
  const first = times[0] ?? start
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? start))
  return {
    firstTokenMs: first - start,
    tokenMs: sum(gaps) / Math.max(1, gaps.length),
    middleTokenMs: gaps.length > 0 ? median(gaps) : 0,
    ids,
  }
}

/** The median of some values, between those that half of them lie between. */
export function quartiles(values: readonly number[]): readonly [low: number, median: number, high: number] {
  const sorted = values.toSorted((a, b) => a - b)
  const quarter = Math.floor(sorted.length / 4)
  return [sorted[quarter] ?? NaN, median(sorted), sorted.at(-1 - quarter) ?? NaN]
}

/** Runs measures in turn, there and back in every round: A-B-B-A of two. @returns what each measured. */
export async function inTurn(
  rounds: number,
  timers: readonly Timer[],
): Promise<readonly (readonly number[])[]> {
  const results: number[][] = timers.map(() => [])
  const order = [...timers.keys(), ...[...timers.keys()].toReversed()]
  for (let round = 0; round < rounds; round++) {
    for (const index of order) {
      const found = await timers[index]?.()
      if (found !== undefined) results[index]?.push(found)
    }
  }
  return results
}
