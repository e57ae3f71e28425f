import type { CardCase, CardRow, CardSide } from '../core/cardResult.ts'
import type { Pack } from '../formats/pack.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { Casting } from '../model/decoder/backbone.ts'
import type { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import { beginTraining } from '../train/parameters/trainee.ts'
import { Trainer } from '../train/run/trainer.ts'
import { DEFAULT_CONFIG } from '../train/settings/config.ts'
import { generateGreedy, promptIds, takeFirst, trainingBatch } from './prompts.ts'
import type { Rival } from './rival.ts'
import { castingsOf, openGeneration, openSwitch } from './roleTimers.ts'
import { inTurn, quartiles, roundsWithin, timeOf, timeTokens } from './timing.ts'
import type { Timer } from './timing.ts'

/** A model on a card, ready to be measured. */
export interface BenchedModel {
  readonly gpu: TunedDevice
  readonly backbone: GpuBackbone
  /** Attached. */
  readonly pack: Pack
  readonly rival: Rival | null
  readonly rounds: number
  /** Of an answer that is timed. */
  readonly tokens: number
}

type Unit = CardRow['unit']

/** The rounds of a case take about this long at most. */
const CASE_BUDGET_MS = 20_000
/** What one round would take longer than is left out. */
const LONGEST_ROUND_MS = 120_000
/** Tokens that tell how long a longer prompt would take. */
const PROBE = 32
const SECOND_MS = 1000
const TRAINING_ROWS = 4
const TRAINING_TOKENS = 64
/** A training step is about five passes forward. */
const STEP_PASSES = 5

const SIDES: Readonly<Record<CardCase, readonly CardSide[]>> = {
  'cold-start': ['bare'],
  'decode-128': ['bare', 'role', 'onnxruntime'],
  'decode-2048': ['bare', 'role', 'onnxruntime'],
  'prompt-32': ['bare', 'role', 'onnxruntime'],
  'prompt-256': ['bare', 'role', 'onnxruntime'],
  'prompt-1024': ['bare', 'role', 'onnxruntime'],
  switch: ['role'],
  generate: ['role'],
  training: ['role', 'reading'],
}

/** Four significant digits: more would only be noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** A row of what was measured, in milliseconds or as a rate of so many tokens. */
export function cardRow(name: CardCase, side: CardSide, times: readonly number[], tokens = 0): CardRow {
  const values = tokens > 0 ? times.map((ms) => (tokens * SECOND_MS) / ms) : times
  const [low, median, high] = quartiles(values).map(rounded)
  const unit: Unit = tokens > 0 ? 'tokens/s' : 'ms'
  return { case: name, side, unit, median: median ?? 0, low: low ?? 0, high: high ?? 0, rounds: times.length }
}

/** The rows of a case that is left out. */
function leftOut(name: CardCase, unit: Unit, note: string): CardRow[] {
  return SIDES[name].map((side) => {
    return { case: name, side, unit, median: null, low: null, high: null, rounds: 0, note }
  })
}

type SideTimer = readonly [side: CardSide, timer: Timer]

/** Runs the sides of a case in turn, there and back in every round, after each has run once unmeasured. */
async function compare(
  name: CardCase,
  sides: readonly SideTimer[],
  { rounds, tokens }: { readonly rounds: number; readonly tokens: number },
): Promise<CardRow[]> {
  let roundMs = 0
  for (const [, timer] of sides) roundMs += 2 * (await timeOf(timer))
  const counted = roundsWithin(CASE_BUDGET_MS, roundMs, rounds)
  const times = await inTurn(
    counted,
    sides.map(([, timer]) => timer),
  )
  return sides.map(([side], index) => cardRow(name, side, times[index] ?? [], tokens))
}

/** A prompt of so many tokens, and how it is read: a timer for each side. */
interface Prompted {
  readonly model: BenchedModel
  readonly count: number
}

function readers({ model: { backbone, pack, rival }, count }: Prompted): SideTimer[] {
  let seed = 1
  const { vocabulary } = backbone.shape
  const read =
    (casting: Casting | null): Timer =>
    () =>
      timeOf(() => takeFirst(generateGreedy(backbone, promptIds(count, vocabulary, ++seed), 1, casting)))
  const theirs = (by: Rival): Timer => {
    return () => timeOf(() => by.prefill(promptIds(count, vocabulary, ++seed)))
  }
  return [
    ['bare', read(null)],
    ['role', read(castingsOf(pack)[0])],
    ...(rival ? [['onnxruntime', theirs(rival)] as const] : []),
  ]
}

/** The mean token of an answer behind so many positions; what of them was read before is not read again. */
function answerers({ model: { backbone, pack, rival, tokens }, count }: Prompted): SideTimer[] {
  const ids = promptIds(count, backbone.shape.vocabulary, 1)
  const answer =
    (casting: Casting | null): Timer =>
    async () =>
      (await timeTokens(() => generateGreedy(backbone, ids, tokens, casting))).tokenMs
  const theirs = (by: Rival): Timer => {
    return async () => (await timeTokens(() => by.generate(ids, tokens))).tokenMs
  }
  return [
    ['bare', answer(null)],
    ['role', answer(castingsOf(pack)[0])],
    ...(rival ? [['onnxruntime', theirs(rival)] as const] : []),
  ]
}

/** Why a prompt of so many tokens is not read here; null where it is. */
async function obstacle(prompted: Prompted, behind: number): Promise<string | null> {
  const { model, count } = prompted
  const { context } = model.backbone
  if (count + behind > context) return `this model holds ${context} tokens here`
  let probeMs = 0
  for (const [, timer] of readers({ model, count: PROBE })) {
    await timer()
    probeMs += await timer()
  }
  const roundMs = (probeMs * count) / PROBE
  return roundMs > LONGEST_ROUND_MS
    ? `one round would take about ${Math.round(roundMs / SECOND_MS)} s here`
    : null
}

async function decode(name: CardCase, model: BenchedModel, count: number): Promise<CardRow[]> {
  const reason = await obstacle({ model, count }, model.tokens)
  if (reason !== null) return leftOut(name, 'tokens/s', reason)
  return compare(name, answerers({ model, count }), { rounds: model.rounds, tokens: 1 })
}

async function prompt(name: CardCase, model: BenchedModel, count: number): Promise<CardRow[]> {
  const reason = await obstacle({ model, count }, 1)
  if (reason !== null) return leftOut(name, 'tokens/s', reason)
  return compare(name, readers({ model, count }), { rounds: model.rounds, tokens: count })
}

async function switching({ gpu, backbone, pack, rounds }: BenchedModel): Promise<CardRow[]> {
  const { cached, destroy } = await openSwitch(gpu, backbone.shape, pack)
  const rows = await compare('switch', [['role', cached]], { rounds, tokens: 0 })
  destroy()
  return rows
}

async function generating({ gpu, pack, rounds }: BenchedModel): Promise<CardRow[]> {
  const { generate, destroy } = await openGeneration(gpu, pack)
  const rows = await compare('generate', [['role', generate]], { rounds, tokens: 0 })
  destroy()
  return rows
}

async function training({ gpu, backbone, rounds }: BenchedModel): Promise<CardRow[]> {
  const { shape, weights } = backbone
  const { vocabulary } = shape
  const count = TRAINING_ROWS * TRAINING_TOKENS
  let seed = 0
  const read: Timer = () =>
    timeOf(() => takeFirst(generateGreedy(backbone, promptIds(count, vocabulary, ++seed), 1)))
  const roundMs = STEP_PASSES * (await read())
  if (roundMs > LONGEST_ROUND_MS) {
    return leftOut(
      'training',
      'tokens/s',
      `a step would take about ${Math.round(roundMs / SECOND_MS)} s here`,
    )
  }
  const names = Array.from({ length: TRAINING_ROWS }, (_, row) => `Role ${row + 1}`)
  const trainee = beginTraining(DEFAULT_CONFIG, shape, names, null)
  const limits = { rows: TRAINING_ROWS, tokens: TRAINING_TOKENS }
  const trainer = await Trainer.create(gpu, shape, weights, trainee, { config: DEFAULT_CONFIG, limits })
  let step = 0
  const train: Timer = () =>
    timeOf(() => {
      const batches = [trainingBatch(TRAINING_ROWS, TRAINING_TOKENS, vocabulary, step)]
      return trainer.step({ step: step++, batches, lambda: 0.1, rateFactor: 1 })
    })
  const sides = [['role', train] as const, ['reading', read] as const]
  const rows = await compare('training', sides, { rounds, tokens: count })
  trainer.destroy()
  return rows
}

/** How each case is measured; a cold start is, while the model is opened. */
export const CARD_TIMERS: Readonly<
  Record<Exclude<CardCase, 'cold-start'>, (model: BenchedModel) => Promise<CardRow[]>>
> = {
  'decode-128': (model) => decode('decode-128', model, 128),
  'decode-2048': (model) => decode('decode-2048', model, 2048),
  'prompt-32': (model) => prompt('prompt-32', model, 32),
  'prompt-256': (model) => prompt('prompt-256', model, 256),
  'prompt-1024': (model) => prompt('prompt-1024', model, 1024),
  switch: switching,
  generate: generating,
  training,
}
