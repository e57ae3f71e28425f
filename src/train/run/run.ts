import { check } from '../../core/errors.ts'
import { forgetFaults } from '../../gpu/deviceFaults.ts'
import { countTokens } from '../data/batches.ts'
import type { Batch } from '../data/batches.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import type { Best, RunFacts } from './checkpoint.ts'
import type { NamedTensors } from '../parameters/initialise.ts'
import { contrastWeight } from '../settings/schedule.ts'
import { Trainer } from './trainer.ts'
import { LONG_SECONDS, secondsOf } from './trial.ts'
import type { TrialInput } from './trial.ts'
import type { StepReport } from './trainer.ts'
import { endIfStill, RunWatch } from './watch.ts'

/** Batches by step: out of a data set, or given. */
export interface BatchSource {
  readonly limits: { readonly rows: number; readonly tokens: number }
  /** Epochs that `steps` steps make. */
  readonly epochs: number
  /** The micro-batches of a step, counted from 0. */
  at(step: number): readonly Batch[]
  /** Rows that are never trained on. */
  readonly heldOut: readonly Batch[]
}

export interface RunInput extends TrialInput {
  readonly batches: BatchSource
  /** What ties a checkpoint to this run, see `runName`. */
  readonly run: string
  readonly checkpoint: Uint8Array | null
}

export interface RunControl {
  readonly signal?: AbortSignal
  /** The share of time that the run may keep the device busy, asked after every step. */
  readonly duty?: () => number
  /** Shows the tensors as they are, before the first step and after every so many. */
  readonly show?: {
    readonly every: number
    readonly with: (tensors: NamedTensors, step: number) => Promise<void>
  }
}

export type RunEvent =
  | {
      readonly kind: 'plan'
      /** Beside the backbone's weights. */
      readonly gpuBytes: number
      readonly tokensPerStep: number
      /** One forward pass was measured; a step takes about four. */
      readonly secondsPerStep: number
    }
  | ({
      readonly kind: 'step'
      readonly step: number
      readonly tokensPerSecond: number
      readonly seconds: number
    } & StepReport)
  | { readonly kind: 'held-out'; readonly step: number; readonly loss: number; readonly isBest: boolean }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'note'; readonly message: string }

export interface RunResult {
  readonly step: number
  readonly facts: RunFacts
  readonly tensors: NamedTensors
  /** Those of the lowest held-out loss; null without held-out rows. */
  readonly best: { readonly step: number; readonly loss: number; readonly tensors: NamedTensors } | null
  readonly isFinished: boolean
}

/** So many steps in a row without a finite gradient, and the run goes back. */
const MOST_SKIPPED = 3
/** Below this share of the rate, going back has not helped and will not. */
const LEAST_RATE = 1 / 64

async function measureHeldOut(trainer: Trainer, batches: readonly Batch[]): Promise<number> {
  let loss = 0
  let tokens = 0
  for (const batch of batches) {
    const { crossEntropy, replyTokens } = await trainer.measure(batch)
    loss += crossEntropy * replyTokens
    tokens += replyTokens
  }
  return loss / tokens
}

/** A pass forward, one to compute again what was not kept, and a backward that is two: a step is at most about four. */
const PASSES = 4

/** What a run will take, by one forward pass. */
async function plan(trainer: Trainer, { batches }: RunInput): Promise<RunEvent> {
  const micro = batches.at(0)
  const [first] = micro
  const tokensPerStep = micro.reduce((sum, batch) => sum + countTokens(batch), 0)
  // The first pass compiles, so a second one is measured, unless the first was long for its own work.
  let seconds = first ? await secondsOf(() => trainer.measure(first)) : 0
  if (first && seconds < LONG_SECONDS) seconds = await secondsOf(() => trainer.measure(first))
  return {
    kind: 'plan',
    gpuBytes: trainer.bytes,
    tokensPerStep,
    secondsPerStep: PASSES * seconds * micro.length,
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** The run's memory between steps. */
class Progress {
  step = 0
  rateFactor = 1
  skipped = 0
  facts: RunFacts = { replyTokens: 0, firstStep: null, lastStep: null, heldOut: null }
  /** The held-out loss before the first step; null where nothing is held out. */
  startLoss: number | null = null
  /** Of the steps, the one with the lowest held-out loss. */
  best: Best | null = null
  /** What three skipped steps go back to; before the first checkpoint, the beginning. */
  saved: Uint8Array<ArrayBuffer>
  savedStep = 0
  savedFacts = this.facts
  readonly watch = new RunWatch()

  constructor(saved: Uint8Array<ArrayBuffer>) {
    this.saved = saved
  }

  /** Goes on by a step that was taken. */
  count({ crossEntropy, replyTokens, isSkipped }: StepReport): void {
    this.step++
    this.skipped = isSkipped ? this.skipped + 1 : 0
    if (isSkipped) return
    const { facts } = this
    this.facts = {
      replyTokens: facts.replyTokens + replyTokens,
      firstStep: facts.firstStep ?? crossEntropy,
      lastStep: crossEntropy,
      heldOut: null,
    }
  }
}

/** Where a run stands before its first step: at the beginning, or where its checkpoint left it. */
async function begin(trainer: Trainer, { checkpoint, run }: RunInput): Promise<Progress> {
  if (!checkpoint) return new Progress(await trainer.readState())
  const { step, rateFactor, facts, startLoss, best, state } = readCheckpoint(checkpoint, run)
  trainer.writeState(state)
  return Object.assign(new Progress(state), {
    step,
    rateFactor,
    facts,
    startLoss,
    best,
    savedStep: step,
    savedFacts: facts,
  })
}

/** Goes back to the last checkpoint, or to the beginning, with half the rate. */
function rollBack(trainer: Trainer, progress: Progress): RunEvent {
  progress.rateFactor /= 2
  check(
    progress.rateFactor >= LEAST_RATE,
    'training-diverged',
    () => `from step ${progress.savedStep} on the gradients are not finite, however small the learning rate`,
  )
  trainer.writeState(progress.saved)
  progress.step = progress.savedStep
  progress.facts = progress.savedFacts
  progress.skipped = 0
  const message = `Three steps in a row had no finite gradient: back to step ${progress.step}, at half the learning rate.`
  return { kind: 'note', message }
}

/** Steps from one look at the held-out rows to the next: at least one an epoch, and one at every checkpoint. */
function stepsPerLook({ config, batches }: RunInput): number {
  return Math.max(1, Math.min(config.checkpointEvery, Math.floor(config.steps / batches.epochs)))
}

/** What the start is worth, before anything is learnt. */
async function measureStart(trainer: Trainer, { batches }: RunInput, progress: Progress): Promise<RunEvent> {
  progress.startLoss = await measureHeldOut(trainer, batches.heldOut)
  return { kind: 'held-out', step: 0, loss: progress.startLoss, isBest: true }
}

async function measureStep(trainer: Trainer, { batches }: RunInput, progress: Progress): Promise<RunEvent> {
  const { step, best, startLoss } = progress
  const loss = await measureHeldOut(trainer, batches.heldOut)
  progress.facts = { ...progress.facts, heldOut: loss }
  const isLowest = best === null || loss < best.loss
  if (isLowest) progress.best = { step, loss, values: await trainer.readValues() }
  return { kind: 'held-out', step, loss, isBest: isLowest && (startLoss === null || loss < startLoss) }
}

async function* closeStep(
  trainer: Trainer,
  input: RunInput,
  progress: Progress,
): AsyncGenerator<RunEvent, void> {
  const { config, batches, run } = input
  const { step } = progress
  const isSaved = step % config.checkpointEvery === 0 || step === config.steps
  const isLookedAt = isSaved || step % stepsPerLook(input) === 0
  if (isLookedAt && batches.heldOut.length > 0) yield await measureStep(trainer, input, progress)
  if (isSaved) yield await save(trainer, run, progress)
}

/** Told where the best of the steps is no better than what they began with. */
function aboutStart({ startLoss, best }: Progress): RunEvent | null {
  if (startLoss === null || !best || best.loss < startLoss) return null
  const message = `On the lines held out no step is better than the start: ${startLoss.toFixed(2)} before the first, at best ${best.loss.toFixed(2)} at step ${best.step}.`
  return { kind: 'note', message }
}

async function show(trainer: Trainer, step: number, control: RunControl): Promise<void> {
  if (control.show && step % control.show.every === 0) await control.show.with(await trainer.read(), step)
}

async function save(trainer: Trainer, run: string, progress: Progress): Promise<RunEvent> {
  const { step, rateFactor, facts, startLoss, best } = progress
  progress.saved = await trainer.readState()
  progress.savedStep = step
  progress.savedFacts = facts
  const bytes = writeCheckpoint({ step, run, rateFactor, facts, startLoss, best, state: progress.saved })
  return { kind: 'checkpoint', step, bytes }
}

/** One step, with what is to be told of it. */
async function* takeStep(
  trainer: Trainer,
  { config, batches }: RunInput,
  progress: Progress,
): AsyncGenerator<RunEvent, number> {
  const startMs = performance.now()
  const { step } = progress
  const micro = batches.at(step)
  const lambda = contrastWeight(config.contrast, (step / config.steps) * batches.epochs, batches.epochs)
  const report = await trainer.step({ step, batches: micro, lambda, rateFactor: progress.rateFactor })
  const seconds = (performance.now() - startMs) / 1000
  const tokens = micro.reduce((sum, batch) => sum + countTokens(batch), 0)
  progress.count(report)
  yield { kind: 'step', step: progress.step, tokensPerSecond: tokens / seconds, seconds, ...report }
  const message = progress.watch.look(report, progress.facts.firstStep)
  if (message !== null) yield { kind: 'note', message }
  endIfStill(progress.watch, progress.step, report.crossEntropy)
  return seconds
}

/**
 * Trains step by step; what is held out is measured before the first step, at least once an epoch and at every checkpoint.
 * When the signal stops it, it saves a checkpoint first; a run that goes on from one gives the same bytes as a run that was
 * never stopped.
 *
 * @throws HycoraError `training-diverged` when no step has a finite gradient, or none but zero; what `Trainer.create`
 *   throws.
 */
export async function* runTraining(
  input: RunInput,
  control: RunControl = {},
): AsyncGenerator<RunEvent, RunResult> {
  const { gpu, decoder, weights, trainee, config, batches, run } = input
  const trainer = await Trainer.create(gpu, decoder, weights, trainee, { config, limits: batches.limits })
  try {
    const progress = await begin(trainer, input)
    yield await plan(trainer, input)
    if (progress.step === 0 && batches.heldOut.length > 0) yield await measureStart(trainer, input, progress)
    await show(trainer, progress.step, control)
    while (progress.step < config.steps && !control.signal?.aborted) {
      const seconds = yield* takeStep(trainer, input, progress)
      if (progress.skipped >= MOST_SKIPPED) yield rollBack(trainer, progress)
      else yield* closeStep(trainer, input, progress)
      await show(trainer, progress.step, control)
      const duty = control.duty?.() ?? 1
      if (duty < 1) await pause(seconds * 1000 * (1 / duty - 1))
    }
    if (progress.savedStep !== progress.step) yield await save(trainer, run, progress)
    const told = aboutStart(progress)
    if (told) yield told
    const { best, facts } = progress
    return {
      step: progress.step,
      facts,
      tensors: await trainer.read(),
      best: best && { step: best.step, loss: best.loss, tensors: trainer.tensorsOf(best.values) },
      isFinished: progress.step >= config.steps,
    }
  } finally {
    trainer.destroy()
    // Of what ended the run, whoever comes next on this device knows nothing.
    forgetFaults(gpu.device)
  }
}
