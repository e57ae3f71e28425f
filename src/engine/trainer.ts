import { HycoraError, check } from '../core/errors.ts'
import { pump } from '../core/pump.ts'
import { blobSource } from '../formats/blobSource.ts'
import type { JsonRecord } from '../core/json.ts'
import { roleLineOf } from '../formats/packFacts.ts'
import { readPack } from '../formats/pack.ts'
import type { Pack } from '../formats/pack.ts'
import { GREEDY } from '../core/sampling.ts'
import type { Decoder } from '../model/decoder.ts'
import { GpuBackbone } from '../model/gpuBackbone.ts'
import type { GpuWeights } from '../model/gpuWeights.ts'
import { buildPrompt } from '../model/prompt.ts'
import { readTrainConfig } from '../train/config.ts'
import type { TrainConfig } from '../train/config.ts'
import type { NamedTensors } from '../train/initialise.ts'
import { prepareRows } from '../train/prepare.ts'
import type { PreparedRows } from '../train/prepare.ts'
import { trainingProvenance } from '../train/provenance.ts'
import { runTraining } from '../train/run.ts'
import type { RunEvent } from '../train/run.ts'
import { finishPack } from '../train/trainee.ts'
import type { Trainee } from '../train/trainee.ts'
import type { PlannedRun, TrainEvent, TrainParams, TrainResult } from './protocol.ts'
import { mapRoles } from '../train/roleMap.ts'
import type { Stage } from './stage.ts'

/** Tokens of a rehearsal's answer at most. */
const ANSWER_TOKENS = 48

/** A run on the loaded backbone, ready to begin. */
export interface Prepared extends PreparedRows {
  readonly device: GPUDevice
  readonly decoder: Decoder
  readonly weights: GpuWeights
  readonly start: Pack | null
  readonly config: TrainConfig
}

/**
 * Reads configuration, start pack and dialogues of a run.
 *
 * @throws HycoraError what reading them throws; `webgpu-unavailable` on a backbone without our kernels.
 */
export async function prepareTraining(stage: Stage, params: PlannedRun): Promise<Prepared> {
  const { backbone, device, model, info } = stage
  check(
    params.backbone === info.name,
    'usage',
    () => `the run is for ${params.backbone}, but ${info.name} is loaded`,
  )
  check(
    device && backbone instanceof GpuBackbone,
    'webgpu-unavailable',
    () => 'training needs WebGPU; chatting goes on without',
  )
  const { weights, shape: decoder } = backbone
  const { tokenizer, template } = model
  if (!tokenizer || !template) throw new HycoraError('format-invalid', `${info.name} cannot read text`)
  const start = params.start && (await readPack(blobSource(params.start.name, params.start.file)))
  const config = readTrainConfig(params.config, start?.config)
  const ground = { config, decoder, fingerprint: model.fingerprint, start }
  const prepared = await prepareRows(ground, { tokenizer, template }, params.dialogues)
  return { device, decoder, weights, start, config, ...prepared }
}

/** The pack as it is, as a file. */
async function packFile(
  stage: Stage,
  trainee: Trainee,
  tensors: NamedTensors,
  provenance: JsonRecord,
): Promise<Blob> {
  const { info, model } = stage
  const backbone = { name: info.name, architecture: info.architecture, fingerprint: model.fingerprint }
  return new Blob([await finishPack(trainee, tensors, backbone, provenance)])
}

/** What the role answers now, greedily, to each prompt. */
async function rehearse(
  stage: Stage,
  pack: Pack,
  { role, prompts }: TrainParams['rehearsal'],
): Promise<readonly string[]> {
  const { backbone, model, shelf } = stage
  const { tokenizer, template, stopIds } = model
  if (!tokenizer || !template) return []
  const index = pack.roles.findIndex(({ name }) => name === role)
  shelf.forget()
  await backbone.attach(pack)
  const answers: string[] = []
  for (const text of prompts) {
    const turns = [{ speaker: 'user' as const, text }]
    const system = roleLineOf(pack, role)
    const { ids } = buildPrompt(
      template,
      tokenizer,
      { system, turns, continueLast: false },
      backbone.context - ANSWER_TOKENS,
    )
    const casting = index < 0 ? null : { parts: [{ role: index, weight: 1 }], strength: 1 }
    const tokens: number[] = []
    const request = { ids, casting, sampling: GREEDY, maxTokens: ANSWER_TOKENS, stopIds }
    for await (const id of backbone.generate(request)) tokens.push(id)
    answers.push(tokenizer.decode(tokens))
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
    for (const message of prepared.rejected) emit({ kind: 'note', message })
    const checkpoint = params.checkpoint && new Uint8Array(await params.checkpoint.arrayBuffer())
    const show = async (tensors: NamedTensors, step: number): Promise<void> => {
      const pack = await readPack(
        blobSource('rehearsal', await packFile(stage, trainee, tensors, trainingProvenance(step, {}, start))),
      )
      emit({ kind: 'answers', step, answers: await rehearse(stage, pack, params.rehearsal) })
      emit({ kind: 'map', step, map: mapRoles(pack) })
    }
    const every = Math.max(1, params.rehearsal.everySteps)
    const events = runTraining({ ...prepared, checkpoint }, { ...control, show: { every, with: show } })
    for (;;) {
      const { done, value } = await events.next()
      if (!done) {
        emit(passOn(value, prepared))
        continue
      }
      const { step, facts, tensors, best, isFinished } = value
      const about = trainingProvenance(step, facts, start)
      const aboutBest = best && trainingProvenance(best.step, { heldOut: best.loss }, start)
      return {
        pack: await packFile(stage, trainee, tensors, about),
        best:
          best && aboutBest && best.step !== step
            ? await packFile(stage, trainee, best.tensors, aboutBest)
            : null,
        step,
        isFinished,
      }
    }
  })
}
