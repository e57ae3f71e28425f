import { check } from '../core/errors.ts'
import { pump } from '../core/pump.ts'
import type { TrialQuestions } from '../core/training.ts'
import { memorySource } from '../formats/memorySource.ts'
import { blobSource } from '../formats/blobSource.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack, PackBackbone } from '../formats/pack.ts'
import { GREEDY } from '../core/sampling.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import type { Decoder } from '../model/decoder/decoder.ts'
import { GpuBackbone } from '../model/gpu/gpuBackbone.ts'
import type { GpuWeights } from '../model/gpu/gpuWeights.ts'
import { codecOf, comparePack } from '../model/chatModel.ts'
import { castRole } from '../model/adapter/roles.ts'
import { speak, wholeAnswer } from '../play/speak.ts'
import { readTrainConfig } from '../train/settings/config.ts'
import type { TrainConfig } from '../train/settings/config.ts'
import type { NamedTensors } from '../train/parameters/initialise.ts'
import { prepareRows } from '../train/run/prepare.ts'
import type { PreparedRows } from '../train/run/prepare.ts'
import { trainingProvenance } from '../train/run/provenance.ts'
import { trainPack } from '../train/run/trainPack.ts'
import type { RunEvent } from '../train/run/run.ts'
import { finishPack } from '../train/parameters/trainee.ts'
import type { PlannedRun, TrainEvent, TrainParams, TrainResult } from './protocol.ts'
import { mapRoles } from '../train/run/roleMap.ts'
import { cueAs } from '../play/stage.ts'
import type { Stage } from '../play/stage.ts'

/** Tokens of an answer to a trial question at most. */
const ANSWER_TOKENS = 48

/** A run on the loaded backbone, ready to begin. */
export interface Prepared extends PreparedRows {
  readonly gpu: TunedDevice
  readonly decoder: Decoder
  readonly weights: GpuWeights
  readonly start: Pack | null
  readonly config: TrainConfig
}

/**
 * Reads configuration, start pack and dialogues of a run.
 *
 * @throws HycoraError what reading them throws; `model-incompatible` for another backbone's start pack;
 * `webgpu-unavailable` on a backbone without our kernels.
 */
export async function prepareTraining(stage: Stage, params: PlannedRun): Promise<Prepared> {
  const { backbone, device, model, name } = stage
  check(params.backbone === name, 'usage', () => `the run is for ${params.backbone}, but ${name} is loaded`)
  check(
    device && backbone instanceof GpuBackbone,
    'webgpu-unavailable',
    () => 'training needs WebGPU; chatting goes on without',
  )
  const { gpu, weights, shape: decoder } = backbone
  const start = params.start && (await readPack(blobSource(params.start.name, params.start.file)))
  const warning = start && comparePack(start, model, name)
  const config = readTrainConfig(params.config, start?.config)
  const ground = { config, decoder, fingerprint: model.fingerprint, start }
  const prepared = await prepareRows(ground, codecOf(model, name), params.dialogues)
  const notes = warning ? [`${warning}.`, ...prepared.notes] : prepared.notes
  return { gpu, decoder, weights, start, config, ...prepared, notes }
}

/** What a pack says of the backbone that it was trained on. */
function packBackboneOf({ name, model }: Stage): PackBackbone {
  const architecture = 'decoder' in model ? model.decoder.architecture : ''
  return { name, architecture, fingerprint: model.fingerprint }
}

/** What the role answers now, greedily, to each prompt. */
async function answerTrial(
  stage: Stage,
  pack: Pack,
  { role, prompts }: TrialQuestions,
): Promise<readonly string[]> {
  const { backbone, shelf } = stage
  shelf.forget()
  await backbone.attach(pack)
  const isThere = pack.roles.some(({ name }) => name === role)
  const casting = isThere ? castRole(pack, role, 1) : null
  const answers: string[] = []
  for (const text of prompts) {
    const told = { system: roleLineOf(pack, role), turns: [{ speaker: 'user' as const, text }] }
    const cue = await cueAs(stage, { pack, casting }, { ...told, continueLast: false })
    const delivery = { casting, sampling: GREEDY, maxTokens: ANSWER_TOKENS }
    answers.push((await wholeAnswer(speak(stage, cue, delivery))).text)
  }
  return answers
}

function passOn(event: RunEvent, { config, rows, batches }: Prepared): TrainEvent {
  switch (event.kind) {
    case 'plan': {
      const heldOutRows = batches.heldOut.reduce((sum, batch) => sum + batch.rows, 0)
      return { ...event, totalSteps: config.steps, rows, heldOutRows }
    }
    case 'step': {
      const { seconds, ...step } = event
      return { ...step, secondsPerStep: seconds }
    }
    case 'checkpoint':
      return { kind: 'checkpoint', step: event.step, file: new Blob([event.bytes]) }
    case 'held-out':
    case 'note':
      return event
  }
}

/**
 * Trains on the loaded backbone. Whoever plays next gets their own pack again: what was trained is a file that the person
 * may load.
 *
 * @throws HycoraError what preparing and training throw.
 */
export function trainOn(
  stage: Stage,
  params: TrainParams,
  control: { readonly signal: AbortSignal; readonly duty: () => number },
): AsyncGenerator<TrainEvent, TrainResult> {
  return pump<TrainEvent, TrainResult>(async (emit) => {
    const prepared = await prepareTraining(stage, params)
    const { start, trainee } = prepared
    for (const message of [...prepared.rejected, ...prepared.notes]) emit({ kind: 'note', message })
    const checkpoint = params.checkpoint && new Uint8Array(await params.checkpoint.arrayBuffer())
    const show = async (tensors: NamedTensors, step: number): Promise<void> => {
      const bytes = await finishPack(
        trainee,
        tensors,
        packBackboneOf(stage),
        trainingProvenance(step, {}, start),
      )
      const pack = await readPack(memorySource('the trial', bytes))
      emit({ kind: 'answers', step, answers: await answerTrial(stage, pack, params.trial) })
      emit({ kind: 'map', step, map: mapRoles(pack) })
      emit({ kind: 'pack', step, pack: new Blob([bytes]) })
    }
    const every = Math.max(1, params.trial.everySteps)
    const events = trainPack(
      { ...prepared, checkpoint, backbone: packBackboneOf(stage) },
      { ...control, show: { every, with: show } },
    )
    for (;;) {
      const { done, value } = await events.next()
      if (!done) {
        emit(passOn(value, prepared))
        continue
      }
      const { step, isFinished, last, best } = value
      return { pack: new Blob([last]), best: best && new Blob([best]), step, isFinished }
    }
  })
}
