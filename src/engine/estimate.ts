import { check } from '../core/errors.ts'
import { countTokens } from '../train/data/batches.ts'
import { roomToKeep } from '../train/run/keptRoom.ts'
import { trainingBytes, trainingNeeds } from '../train/run/memory.ts'
import { blockSizeOf } from '../train/gradients/trainingBuffers.ts'
import { tryStep } from '../train/run/trial.ts'
import type { StepTime } from '../train/run/trial.ts'
import type { PlannedRun, TrainEstimate } from './protocol.ts'
import type { Stage } from '../play/stage.ts'
import { prepareTraining } from './trainer.ts'
import type { Prepared } from './trainer.ts'

/** Steps whose rows are counted: those of a run differ in length. */
const COUNTED_STEPS = 8

/** What was tried on a backbone, by the shape of what is trained. */
const tried = new WeakMap<Stage, Map<string, StepTime>>()

/** What the time of a short step hangs on, beside the backbone; how many roles there are, it hardly notices. */
function shapeOf({ trainee: { config, onlyRole }, config: { contrast, dropout } }: Prepared): string {
  return JSON.stringify([config, onlyRole === null, contrast.form, dropout > 0])
}

async function stepTime(stage: Stage, prepared: Prepared, signal?: AbortSignal): Promise<StepTime> {
  const known = tried.get(stage) ?? new Map<string, StepTime>()
  tried.set(stage, known)
  const shape = shapeOf(prepared)
  const time = known.get(shape) ?? (await tryStep(prepared, signal))
  known.set(shape, time)
  return time
}

/**
 * What a run would take on the loaded backbone, by a short step of it.
 *
 * @throws HycoraError what `prepareTraining` throws; `out-of-memory`; `cancelled` when the signal comes first.
 */
export async function estimateOn(
  stage: Stage,
  params: PlannedRun,
  signal?: AbortSignal,
): Promise<TrainEstimate> {
  check(!signal?.aborted, 'cancelled', () => 'the plan has changed')
  const prepared = await prepareTraining(stage, params)
  const { gpu, decoder, weights, trainee, config, batches } = prepared
  const steps = Array.from({ length: Math.min(COUNTED_STEPS, config.steps) }, (_, step) => batches.at(step))
  const tokens = steps.flat().reduce((sum, batch) => sum + countTokens(batch), 0) / steps.length
  const { fixed, perToken } = await stepTime(stage, prepared, signal)
  const needs = trainingNeeds(decoder, trainee, config, batches.limits)
  const blockSize = blockSizeOf(weights)
  const keptBytes = await roomToKeep(gpu, decoder, needs, blockSize)
  return {
    secondsPerStep: config.accumulate * fixed + tokens * perToken,
    tokensPerStep: Math.round(tokens),
    gpuBytes: trainingBytes(decoder, needs, blockSize, keptBytes),
  }
}
