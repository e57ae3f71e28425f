import type { Pack, PackBackbone } from '../../formats/pack.ts'
import { trainingProvenance } from './provenance.ts'
import { runTraining } from './run.ts'
import type { RunControl, RunEvent, RunInput } from './run.ts'
import { finishPack } from '../parameters/trainee.ts'

/** A run, and what its pack says of itself. */
export interface PackRun extends RunInput {
  readonly start: Pack | null
  readonly backbone: PackBackbone
}

/** What a run has come to. */
export interface TrainedPack {
  readonly step: number
  readonly isFinished: boolean
  /** The pack as it is now. */
  readonly last: Uint8Array<ArrayBuffer>
  /** The pack at the lowest held-out loss, where that was not the last; null too without held-out rows. */
  readonly best: Uint8Array<ArrayBuffer> | null
}

/**
 * Trains, and writes what came of it as packs.
 *
 * @throws HycoraError as `runTraining`.
 */
export async function* trainPack(
  input: PackRun,
  control: RunControl = {},
): AsyncGenerator<RunEvent, TrainedPack> {
  const { trainee, start, backbone } = input
  const { step, facts, tensors, best, isFinished } = yield* runTraining(input, control)
  const last = await finishPack(trainee, tensors, backbone, trainingProvenance(step, facts, start))
  const isLastBest = !best || best.step === step
  return {
    step,
    isFinished,
    last,
    best: isLastBest
      ? null
      : await finishPack(
          trainee,
          best.tensors,
          backbone,
          trainingProvenance(best.step, { heldOut: best.loss }, start),
        ),
  }
}
