import { GREEDY, STEADY } from '../../core/sampling.ts'
import type { Backbone, Casting } from '../../model/decoder/backbone.ts'
import { CASE_BUDGET_MS } from './generationCases.ts'
import type { Measured } from './report.ts'
import { promptIds } from '../../bench/prompts.ts'
import { interleavePaired, roundsWithin, timeTokens } from '../../bench/timing.ts'

const PROMPT = 16
/** Where the two chats part. */
const SHARED = 8
/** A fifth more or less is to be told apart: so many times the rounds of another case, short ones. */
const ROUNDS = 5
const TOKENS = 16

/** Tokens of an answer that keeps to its question beside those of one that need not, on one backbone in one run. */
export async function compareGuidance(
  backbone: Backbone,
  casting: Casting | null,
  lengths: { readonly rounds: number; readonly tokens: number },
): Promise<Measured> {
  const { vocabulary } = backbone.shape
  const maxTokens = Math.min(lengths.tokens, TOKENS)
  let seed = 2000
  const timer = (guidance: number) => async (): Promise<number> => {
    const ids = promptIds(PROMPT, vocabulary, ++seed)
    const beside = [...ids.slice(0, SHARED), ...promptIds(PROMPT - SHARED, vocabulary, ++seed)]
    const request = { ids, beside, casting, maxTokens, stopIds: [], sampling: { ...GREEDY, guidance } }
    return (await timeTokens(() => backbone.generate(request))).middleTokenMs
  }
  const [guided, plain] = [timer(STEADY.guidance), timer(0)]
  // The first ones compile kernels and make room for a second chat.
  await guided()
  const roundMs = 2 * (PROMPT + maxTokens) * ((await guided()) + (await plain()))
  const rounds = roundsWithin(CASE_BUDGET_MS, roundMs, ROUNDS * lengths.rounds)
  const { own, others, ...ratios } = await interleavePaired(rounds, guided, plain)
  return {
    ours: 1000 / own,
    rival: 1000 / others,
    ...ratios,
    unit: 'tokens/s',
    rivalName: 'the same without guidance',
    rounds,
  }
}
