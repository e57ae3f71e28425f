import type { Pack } from '../../formats/pack.ts'
import type { Casting } from '../../model/decoder/backbone.ts'
import { CASE_BUDGET_MS } from './generationCases.ts'
import { compareGuidance } from './guidance.ts'
import type { BenchCase, BenchRow, Unit } from './report.ts'
import { generateGreedy, promptIds } from '../../bench/prompts.ts'
import { castingsOf, openGeneration, openSwitch } from '../../bench/roleTimers.ts'
import type { BenchSubject } from './subject.ts'
import { interleave, interleavePaired, median, roundsWithin, timeTokens } from '../../bench/timing.ts'

const SHORT_PROMPT = 8

/** A few per cent are to be told apart: so many times the rounds of another case, short ones, and the time for them. */
const OVERHEAD_ROUNDS = 5
const OVERHEAD_TOKENS = 16
const OVERHEAD_BUDGET_MS = 3 * CASE_BUDGET_MS

function withoutPack(subject: BenchSubject, name: BenchCase, unit: Unit, rivalName: string): BenchRow {
  return subject.row(name, { unit, rivalName, note: 'left out: no persona pack was given' })
}

/**
 * Milliseconds of the middle token of a greedy answer, prompts never the same: both sides are our own engine, whose tokens
 * all take the same, and a few per cent are to be told apart.
 */
function tokenTimer({ backbone, tokens }: BenchSubject): (casting: Casting | null) => Promise<number> {
  let seed = 1000
  return async (casting) => {
    const ids = promptIds(SHORT_PROMPT, backbone.shape.vocabulary, ++seed)
    return (await timeTokens(() => generateGreedy(backbone, ids, tokens, casting))).middleTokenMs
  }
}

/** Decoding as a role of the pack, against the same backbone without a pack. */
export async function overheadCase(subject: BenchSubject): Promise<BenchRow> {
  const rivalName = 'the same backbone without a pack'
  const { backbone, pack, rounds } = subject
  if (!pack) return withoutPack(subject, 'lora-overhead', 'tokens/s', rivalName)
  const [casting] = castingsOf(pack)
  const tokens = Math.min(subject.tokens, OVERHEAD_TOKENS)
  const timeToken = tokenTimer({ ...subject, tokens })
  let attached: Pack | null = null
  const decode = async (wanted: Pack | null): Promise<number> => {
    const role = wanted ? casting : null
    if (attached !== wanted) {
      await backbone.attach(wanted)
      attached = wanted
      await timeToken(role)
    }
    return timeToken(role)
  }
  // A side that takes its turn answers once unmeasured, for its pack was just attached.
  const roundMs = 3 * tokens * ((await decode(pack)) + (await decode(null)))
  const counted = roundsWithin(OVERHEAD_BUDGET_MS, roundMs, OVERHEAD_ROUNDS * rounds)
  const { own, others, ...ratios } = await interleavePaired(
    counted,
    () => decode(pack),
    () => decode(null),
  )
  await backbone.attach(pack)
  const dispatchesPerToken = backbone.dispatchesPerToken()
  await backbone.attach(null)
  return subject.row('lora-overhead', {
    ours: 1000 / own,
    rival: 1000 / others,
    ...ratios,
    unit: 'tokens/s',
    rivalName,
    rounds: counted,
    dispatchesPerToken,
  })
}

/** Decoding as a role that keeps to the question, against the same role that need not. */
export async function guidanceCase(subject: BenchSubject): Promise<BenchRow> {
  const { backbone, pack } = subject
  await backbone.attach(pack)
  const measured = await compareGuidance(backbone, pack && castingsOf(pack)[0], subject)
  await backbone.attach(null)
  return subject.row('guidance', measured)
}

/** Turning to a role whose matrices are on the GPU already, against decoding one token. */
export async function switchCase(subject: BenchSubject): Promise<BenchRow> {
  const rivalName = 'decoding one token'
  const { backbone, pack, rounds, gpu } = subject
  if (!pack) return withoutPack(subject, 'role-switch', 'ms', rivalName)
  const turning = await openSwitch(gpu, backbone.shape, pack)
  await backbone.attach(pack)
  const timeToken = tokenTimer(subject)
  const [played] = castingsOf(pack)
  await timeToken(played)
  const [own, token] = await interleave(rounds, turning.cached, () => timeToken(played))
  await backbone.attach(null)
  const { cold } = turning
  turning.destroy()
  return subject.row('role-switch', {
    ours: own,
    rival: token,
    unit: 'ms',
    rivalName,
    rounds,
    // The first role of all warms the kernels up.
    coldMs: median(cold.length > 1 ? cold.slice(1) : cold),
  })
}

/** Generating every matrix of one role, against decoding one token. */
export async function hypernetworkCase(subject: BenchSubject): Promise<BenchRow> {
  const rivalName = 'decoding one token'
  const { backbone, pack, rounds, gpu } = subject
  if (!pack) return withoutPack(subject, 'hypernetwork', 'ms', rivalName)
  const { sources } = pack.config
  const { generate, destroy } = await openGeneration(gpu, pack)
  await backbone.attach(pack)
  const timeToken = tokenTimer(subject)
  const playOnce = (): Promise<number> => timeToken(castingsOf(pack)[0])
  await generate()
  await playOnce()
  const [own, token] = await interleave(rounds, generate, playOnce)
  await backbone.attach(null)
  destroy()
  return subject.row('hypernetwork', {
    ours: own,
    rival: token,
    unit: 'ms',
    rivalName,
    rounds,
    ...(sources.A.startsWith('hyper') ? {} : { note: `this pack stores its A (${sources.A})` }),
  })
}
