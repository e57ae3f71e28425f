import { check } from '../../core/errors.ts'
import { GREEDY } from '../../core/sampling.ts'
import { createCpuSampler } from '../../fallback/sampler.ts'
import { castRole } from '../../model/adapter/roles.ts'
import type { Casting } from '../../model/decoder/backbone.ts'
import type { ReadTokens } from '../../model/decoder/chorus.ts'
import { CASE_BUDGET_MS } from './generationCases.ts'
import type { BenchRow } from './report.ts'
import { generateGreedy, promptIds } from '../../bench/prompts.ts'
import type { BenchSubject } from './subject.ts'
import { interleavePaired, median, roundsWithin, timeTokens } from '../../bench/timing.ts'

/** How many answer at once. */
const VOICES = 8
const PROMPT = 16
const TOKENS = 16

/** Milliseconds of the middle token of so many greedy answers at once, each by somebody of their own. */
async function timeTogether(
  { backbone }: BenchSubject,
  castings: readonly (Casting | null)[],
  tokens: number,
  seed: number,
): Promise<number> {
  const { vocabulary } = backbone.shape
  const chorus = await backbone.openChorus({ castings, capacity: PROMPT + tokens })
  check(chorus, 'out-of-memory', () => `${castings.length} answers at once find no room here`)
  try {
    const prompts = castings.map((_, voice) => promptIds(PROMPT, vocabulary, seed + voice))
    const samplers = prompts.map((ids) => createCpuSampler(GREEDY, ids))
    let rows: readonly ReadTokens[] = prompts.map((ids, reading) => ({ reading, ids }))
    const steps: number[] = []
    for (let count = 0; count < tokens; count++) {
      const start = performance.now()
      const logits = await chorus.read(rows)
      rows = samplers.map((sampler, reading) => {
        const own = logits.subarray(reading * vocabulary, (reading + 1) * vocabulary)
        return { reading, ids: [sampler.next(own, PROMPT + count - 1)] }
      })
      steps.push(performance.now() - start)
    }
    // The first one reads the prompts.
    return median(steps.slice(1))
  } finally {
    chorus.destroy()
  }
}

/** A token of each of eight roles who answer at once, against a token of one of them alone. */
export async function togetherCase(subject: BenchSubject): Promise<BenchRow> {
  const { backbone, pack } = subject
  const roles = pack?.roles.filter(({ blend }) => !blend) ?? []
  const castings = Array.from({ length: VOICES }, (_, voice) => {
    const role = roles[voice % roles.length]
    return pack && role ? castRole(pack, role.name, 1) : null
  })
  await backbone.attach(pack)
  const tokens = Math.min(subject.tokens, TOKENS)
  let seed = 3000
  const eight = (): Promise<number> => timeTogether(subject, castings, tokens, (seed += VOICES))
  const one = async (): Promise<number> => {
    const ids = promptIds(PROMPT, backbone.shape.vocabulary, ++seed)
    const casting = castings[seed % VOICES] ?? null
    return (await timeTokens(() => generateGreedy(backbone, ids, tokens, casting))).middleTokenMs
  }
  const roundMs = 2 * (PROMPT + tokens) * ((await eight()) + (await one()))
  const rounds = roundsWithin(CASE_BUDGET_MS, roundMs, subject.rounds)
  const { own, others, ...ratios } = await interleavePaired(rounds, eight, one)
  await backbone.attach(null)
  return subject.row('together', {
    ours: own,
    rival: others,
    ...ratios,
    unit: 'ms',
    rivalName: 'one of the eight alone',
    rounds,
  })
}
