import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { HycoraError, check } from '../core/errors.ts'
import type { DatasetOptions } from '../formats/dataset/reading.ts'
import type { Pack } from '../formats/pack.ts'
import { codecOf, comparePack } from '../model/chatModel.ts'
import type { ChatModel } from '../model/chatModel.ts'
import { loadWeights } from '../model/gpu/gpuWeights.ts'
import { readTrainConfig } from '../train/settings/config.ts'
import type { TrainConfig } from '../train/settings/config.ts'
import { encodeDialogues, prepareRows, prepareRun } from '../train/run/prepare.ts'
import type { RunGround } from '../train/run/prepare.ts'
import type { BatchSource, RunEvent } from '../train/run/run.ts'
import { sampleRows } from '../train/data/samples.ts'
import { trainPack } from '../train/run/trainPack.ts'
import type { TrainedPack } from '../train/run/trainPack.ts'
import { finishPack } from '../train/parameters/trainee.ts'
import type { Trainee } from '../train/parameters/trainee.ts'
import { parseArguments, required } from './arguments.ts'
import { openModel, openPack } from './engine.ts'
import { openNodeDevice } from './gpu.ts'
import { formatSamples } from './preview.ts'
import { giveUp, reserve, tryOutput, writeCheckpointFile, writeSafely } from './outputFile.ts'
import { datasetOptions, readBatches, readDialogues, readText } from './trainingData.ts'

async function readConfig(path: string | undefined, start: Pack | null): Promise<TrainConfig> {
  if (path === undefined) return readTrainConfig({}, start?.config)
  const { text } = await readText(path)
  try {
    return readTrainConfig(JSON.parse(text), start?.config)
  } catch (error) {
    if (error instanceof HycoraError) throw error
    throw new HycoraError('format-invalid', `${path} is not JSON`)
  }
}

interface Prepared {
  readonly config: TrainConfig
  readonly trainee: Trainee
  readonly run: string
  readonly batches: BatchSource
}

async function prepareBatches(path: string, given: RunGround): Promise<Prepared> {
  const { start } = given
  if (!start) throw new HycoraError('usage', '--batches needs a --start pack, whose roles its ids name')
  const batches = await readBatches(path)
  const names = start.roles.slice(0, start.rows).map(({ name }) => name)
  check(
    batches.roles <= names.length,
    'usage',
    () => `${path} has the role id ${batches.roles - 1}, the start pack has ${names.length} roles`,
  )
  const config = { ...given.config, steps: Math.min(given.config.steps, batches.steps) }
  const { trainee, run } = await prepareRun({ ...given, config }, names, batches.sha256)
  return { config, trainee, run, batches }
}

async function prepareData(
  path: string,
  ground: RunGround,
  model: ChatModel,
  options: DatasetOptions,
): Promise<Prepared> {
  const { tokenizer, template, stopIds } = model
  if (!tokenizer || !template)
    throw new HycoraError('usage', 'the backbone has no tokenizer or no chat template')
  const { config } = ground
  const dialogues = await readDialogues(path, config.seed, options)
  const { rejected, notes, ...prepared } = await prepareRows(
    ground,
    { tokenizer, template, stopIds },
    dialogues,
  )
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

/** Prints a handful of each role's rows as they would be learnt. */
async function preview(options: ReadonlyMap<string, string>): Promise<void> {
  const path = required(options, 'data')
  const { name, model } = await openModel(options)
  const startPath = options.get('start')
  const start = startPath === undefined ? null : await openPack(startPath)
  const config = await readConfig(options.get('config'), start)
  const codec = codecOf(model, name)
  const dialogues = await readDialogues(path, config.seed, { ...datasetOptions(options), isKept: false })
  const { rows, rejected } = encodeDialogues(codec, { config, start }, dialogues)
  for (const reason of rejected) process.stderr.write(`not trained on: ${reason}\n`)
  const learnt = dialogues.filter(({ split }) => split === 'train').length
  process.stdout.write(
    `${dialogues.length} dialogues: ${learnt} to learn, ${dialogues.length - learnt} held out\n\n`,
  )
  process.stdout.write(formatSamples(sampleRows(codec, rows)))
}

/** What a run needs beside what it is. */
interface Outputs {
  readonly out: string
  readonly checkpointPath: string
  readonly keep: string
}

/** Trains to the end, and writes what came of it into the room that was taken for it. */
async function rehearse(events: AsyncGenerator<RunEvent, TrainedPack>, outputs: Outputs): Promise<void> {
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

/** `train`: trains a pack, with a JSON line a step on stdout; a checkpoint beside the output lets `--resume` go on. */
export async function train(words: readonly string[]): Promise<void> {
  const values = ['backbone', 'model', 'data', 'role', 'columns', 'batches', 'out', 'config', 'start', 'keep']
  const { options } = parseArguments(words, { values, flags: ['resume', 'preview'] })
  const keep = options.get('keep') ?? 'last'
  check(keep === 'last' || keep === 'best', 'usage', () => `--keep is "${keep}", expected last or best`)
  if (options.has('preview')) {
    await preview(options)
    return
  }
  const out = resolve(required(options, 'out'))
  const checkpointPath = `${out}.checkpoint`
  const checkpoint = options.has('resume') ? await readCheckpointFile(checkpointPath) : null
  const [data, batchesPath, reading] = [options.get('data'), options.get('batches'), datasetOptions(options)]
  check(
    (data === undefined) !== (batchesPath === undefined),
    'usage',
    () => 'give either --data or --batches',
  )
  check(
    batchesPath === undefined || Object.keys(reading).length === 0,
    'usage',
    () => '--role and --columns say how --data is read, so they do not go with --batches',
  )
  await tryOutput(out)
  const { name, model } = await openModel(options)
  const startPath = options.get('start')
  const start = startPath === undefined ? null : await openPack(startPath)
  const warning = start && comparePack(start, model, name)
  if (warning) process.stderr.write(`warning: ${warning}\n`)
  const given = await readConfig(options.get('config'), start)
  const ground = { config: given, decoder: model.decoder, fingerprint: model.fingerprint, start }
  const { config, trainee, run, batches } =
    batchesPath === undefined
      ? await prepareData(data ?? '', ground, model, reading)
      : await prepareBatches(batchesPath, ground)
  const backbone = { name, architecture: model.decoder.architecture, fingerprint: model.fingerprint }
  // A pack is as large before it is trained as after.
  await reserve(out, (await finishPack(trainee, trainee.tensors, backbone, {})).length)
  try {
    const gpu = await openNodeDevice()
    const weights = await loadWeights(gpu.device, model.decoder, () => undefined)
    const controller = new AbortController()
    process.once('SIGINT', () => controller.abort())
    const ready = { gpu, decoder: model.decoder, weights, trainee, config, batches, run, checkpoint }
    const events = trainPack({ ...ready, start, backbone }, { signal: controller.signal })
    await rehearse(events, { out, checkpointPath, keep })
  } finally {
    await giveUp(out)
  }
}
