import { HycoraError, check } from '../core/errors.ts'
import { codecOf } from '../model/chatModel.ts'
import { sampleRows } from '../train/data/samples.ts'
import { encodeDialogues, prepareRun } from '../train/run/prepare.ts'
import type { RunGround } from '../train/run/prepare.ts'
import { readTrainConfig } from '../train/settings/config.ts'
import { parseArguments, required } from './arguments.ts'
import { openModel, openPackFor } from './engine.ts'
import { formatSamples } from './preview.ts'
import { openOutput, prepareData, rehearse } from './rehearsal.ts'
import type { PreparedRun } from './rehearsal.ts'
import { datasetOptions, readBatches, readDialogues, readTrainingFile } from './trainingData.ts'

async function prepareBatches(path: string, given: RunGround): Promise<PreparedRun> {
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

/** Prints a handful of each role's rows as they would be learnt. */
async function preview(options: ReadonlyMap<string, string>): Promise<void> {
  const path = required(options, 'data')
  const { name, model } = await openModel(options)
  const startPath = options.get('start')
  const start = startPath === undefined ? null : await openPackFor(startPath, { name, model })
  const config = readTrainConfig(await readTrainingFile(options.get('config')), start?.config)
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

/** `train`: trains a pack, with a JSON line a step on stdout; a checkpoint beside the output lets `--resume` go on. */
export async function train(words: readonly string[]): Promise<void> {
  const values = ['backbone', 'model', 'data', 'role', 'columns', 'batches', 'out', 'config', 'start', 'keep']
  const { options } = parseArguments(words, { values, flags: ['resume', 'preview'] })
  if (options.has('preview')) {
    await preview(options)
    return
  }
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
  const output = await openOutput(options)
  const { name, model } = await openModel(options)
  const startPath = options.get('start')
  const start = startPath === undefined ? null : await openPackFor(startPath, { name, model })
  const config = readTrainConfig(await readTrainingFile(options.get('config')), start?.config)
  const ground = { config, decoder: model.decoder, fingerprint: model.fingerprint, start }
  const prepared =
    batchesPath === undefined
      ? await prepareData(data ?? '', ground, codecOf(model, name), reading)
      : await prepareBatches(batchesPath, ground)
  await rehearse(output, { name, model }, start, prepared)
}
