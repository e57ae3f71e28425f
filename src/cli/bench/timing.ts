/** The middle value; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** Measures something once and returns the number measured. */
export type Measure = () => Promise<number>

/**
 * Runs two measures in turn, A-B-B-A in every round, so that a machine that drifts drifts for both.
 *
 * @returns the medians of both.
 */
export async function interleave(rounds: number, ours: Measure, rival: Measure): Promise<[number, number]> {
  const own: number[] = []
  const others: number[] = []
  for (let round = 0; round < rounds; round++) {
    own.push(await ours())
    others.push(await rival())
    others.push(await rival())
    own.push(await ours())
  }
  return [median(own), median(others)]
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
  const total = gaps.reduce((sum, gap) => sum + gap, 0)
  return {
    firstTokenMs: first - start,
    tokenMs: total / Math.max(1, gaps.length),
    middleTokenMs: gaps.length > 0 ? median(gaps) : 0,
    ids,
  }
}
