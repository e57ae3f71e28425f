import { check } from '../../core/errors.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import type { GpuWeights } from '../../model/gpu/gpuWeights.ts'
import type { Batch } from '../data/batches.ts'
import type { TrainConfig } from '../settings/config.ts'
import type { Trainee } from '../parameters/trainee.ts'
import { Trainer } from './trainer.ts'

/** What takes longer than this is long for its own work, not for the compiling of its shaders or for its dispatches. */
export const LONG_SECONDS = 1

/** Tokens of the steps that are tried: the first compiles the shaders, the last is for where the second takes no time. */
const FIRST = 8
const SHORT = 32
const LONG = 128

/** What a micro-step takes on a device: seconds(tokens) = `fixed` + `perToken` · tokens. */
export interface StepTime {
  readonly fixed: number
  readonly perToken: number
}

/** A run, as far as a short step of it needs to know it. */
export interface TrialInput {
  readonly gpu: TunedDevice
  readonly decoder: Decoder
  readonly weights: GpuWeights
  readonly trainee: Trainee
  readonly config: TrainConfig
}

/** The seconds that something takes. */
export async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await action()
  return (performance.now() - startMs) / 1000
}

/** A row of so many tokens, all but the first of which are learnt. */
function trialBatch(tokens: number, vocabulary: number, role: number): Batch {
  return {
    rows: 1,
    tokens,
    ids: Uint32Array.from({ length: tokens }, (_, index) => (7 * index + 3) % vocabulary),
    isReply: Uint8Array.from({ length: tokens }, (_, index) => Number(index > 0)),
    anchors: [tokens - 1],
    roles: [role],
  }
}

/**
 * Tries a step of 32 tokens, and where that takes less than a second one of 128, on a copy of what is to be trained. A step
 * of a run is longer: what it takes grows with its tokens.
 *
 * @throws HycoraError what `Trainer.create` throws; `cancelled` when the signal comes between its steps.
 */
export async function tryStep(
  { gpu, decoder, weights, trainee, config }: TrialInput,
  signal?: AbortSignal,
): Promise<StepTime> {
  const limits = { rows: 1, tokens: LONG }
  const trainer = await Trainer.create(gpu, decoder, weights, trainee, { config, limits })
  const stepOf = (tokens: number): Promise<number> => {
    check(!signal?.aborted, 'cancelled', () => 'the step is not to be tried any more')
    const batch = trialBatch(tokens, decoder.vocabulary, trainee.onlyRole ?? 0)
    return secondsOf(() => trainer.step({ step: 0, batches: [batch], lambda: 1, rateFactor: 1 }))
  }
  try {
    await stepOf(FIRST)
    const short = await stepOf(SHORT)
    if (short > LONG_SECONDS) return { fixed: 0, perToken: short / SHORT }
    const long = await stepOf(LONG)
    const perToken = Math.max(long - short, 0) / (LONG - SHORT)
    return { fixed: Math.max(0, short - perToken * SHORT), perToken }
  } finally {
    trainer.destroy()
  }
}
