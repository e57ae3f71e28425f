import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { check, HycoraError } from '../core/errors.ts'
import type { DatasetOptions } from '../formats/dataset/reading.ts'
import type { Pack } from '../formats/pack.ts'
import type { TextCodec } from '../model/chatModel.ts'
import { loadWeights } from '../model/gpu/gpuWeights.ts'
import { finishPack } from '../train/parameters/trainee.ts'
import type { Trainee } from '../train/parameters/trainee.ts'
import { prepareRows } from '../train/run/prepare.ts'
import type { RunGround } from '../train/run/prepare.ts'
import type { BatchSource, RunEvent } from '../train/run/run.ts'
import { trainPack } from '../train/run/trainPack.ts'
import type { TrainedPack } from '../train/run/trainPack.ts'
import type { TrainConfig } from '../train/settings/config.ts'
import { required } from './arguments.ts'
import type { OpenedModel } from './engine.ts'
import { openNodeDevice } from './gpu.ts'
import { giveUp, reserve, tryOutput, writeCheckpointFile, writeSafely } from './outputFile.ts'
import { readDialogues } from './trainingData.ts'

/** A run, ready to begin. */
export interface PreparedRun {
  readonly config: TrainConfig
  readonly trainee: Trainee
  readonly run: string
  readonly batches: BatchSource
}

/** A run on a data set; what of it is not trained on is told. */
export async function prepareData(
  path: string,
  ground: RunGround,
  codec: TextCodec,
  options: DatasetOptions & { readonly isKept?: boolean },
): Promise<PreparedRun> {
  const { config } = ground
  const dialogues = await readDialogues(path, config.seed, options)
  const { rejected, notes, ...prepared } = await prepareRows(ground, codec, dialogues)
  for (const reason of rejected) process.stderr.write(`not trained on: ${reason}\n`)
  for (const note of notes) process.stderr.write(`${note}\n`)
  return { config, ...prepared }
}

/** One JSON line per optimiser step, and other events as lines without its key. */
function report(event: RunEvent): void {
  const line = lineOf(event)
  if (line) process.stdout.write(`${JSON.stringify(line)}\n`)
}

function lineOf(event: RunEvent): Readonly<Record<string, unknown>> | null {
  switch (event.kind) {
    case 'step': {
      const { step, loss, crossEntropy, contrast, lambda, learningRate, gradientNorm, tokensPerSecond } =
        event
      const skipped = event.isSkipped ? { skipped: true } : {}
      return {
        step,
        loss,
        crossEntropy,
        contrast,
        lambda,
        learningRate,
        gradientNorm,
        tokensPerSecond,
        ...skipped,
      }
    }
    case 'held-out':
      return { step: event.step, heldOut: event.loss, best: event.isBest }
    case 'note':
      return { note: event.message }
    case 'plan': {
      const { gpuBytes, tokensPerStep, secondsPerStep } = event
      return { plan: { gpuBytes, tokensPerStep, secondsPerStep } }
    }
    case 'checkpoint':
      return null
  }
}

async function readCheckpointFile(path: string): Promise<Uint8Array> {
  return readFile(path).catch(() => {
    throw new HycoraError('usage', `--resume needs ${path}, which is not there`)
  })
}

/** What a run needs beside what it is. */
interface Outputs {
  readonly out: string
  readonly checkpointPath: string
  readonly keep: string
}

/** Trains to the end, and writes what came of it into the room that was taken for it. */
async function toTheEnd(events: AsyncGenerator<RunEvent, TrainedPack>, outputs: Outputs): Promise<void> {
  const { out, checkpointPath, keep } = outputs
  for (;;) {
    const { done, value } = await events.next()
    if (done) {
      await writeSafely(out, keep === 'best' && value.best ? value.best : value.last)
      return
    }
    report(value)
    if (value.kind === 'checkpoint') await writeCheckpointFile(checkpointPath, value.bytes, value.step)
  }
}

/** Where a run writes to, and whether it goes on. */
export interface Output {
  readonly out: string
  readonly keep: string
  readonly checkpoint: Uint8Array | null
}

/** The output that `--out`, `--keep` and `--resume` name; tried before anything is computed. */
export async function openOutput(options: ReadonlyMap<string, string>): Promise<Output> {
  const keep = options.get('keep') ?? 'last'
  check(keep === 'last' || keep === 'best', 'usage', () => `--keep is "${keep}", expected last or best`)
  const out = resolve(required(options, 'out'))
  const checkpoint = options.has('resume') ? await readCheckpointFile(`${out}.checkpoint`) : null
  await tryOutput(out)
  return { out, keep, checkpoint }
}

/** Trains a pack as it was prepared, with a JSON line a step on stdout; a checkpoint lies beside the output. */
export async function rehearse(
  { out, keep, checkpoint }: Output,
  { name, model }: Pick<OpenedModel, 'name' | 'model'>,
  start: Pack | null,
  { config, trainee, run, batches }: PreparedRun,
): Promise<void> {
  const { decoder, fingerprint } = model
  const backbone = { name, architecture: decoder.architecture, fingerprint }
  // A pack is as large before it is trained as after.
  await reserve(out, (await finishPack(trainee, trainee.tensors, backbone, {})).length)
  try {
    const gpu = await openNodeDevice()
    const weights = await loadWeights(gpu.device, decoder, () => undefined)
    const controller = new AbortController()
    process.once('SIGINT', () => controller.abort())
    const ready = { gpu, decoder, weights, trainee, config, batches, run, checkpoint }
    const events = trainPack({ ...ready, start, backbone }, { signal: controller.signal })
    await toTheEnd(events, { out, checkpointPath: `${out}.checkpoint`, keep })
  } finally {
    await giveUp(out)
  }
}
