import type { SplitDialogue } from '../core/dialogue.ts'
import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

import { HycoraError, asHycoraError, check } from '../core/errors.ts'
import { QUICK_EVALUATION, WHOLE_EVALUATION, evaluate as measure } from '../evaluate/evaluate.ts'
import type { Evaluation, EvaluationOptions, EvaluationProgress } from '../evaluate/evaluate.ts'
import { readDataset } from '../formats/dataset.ts'
import type { DatasetDialogue } from '../formats/dataset/reading.ts'
import { splitDialogues } from '../train/split.ts'
import { integerOption, parseArguments } from './arguments.ts'
import { openSpeaker } from './engine.ts'
import { openNodeDevice } from './gpu.ts'
import { readTexts, splitPath } from './trainingData.ts'

/** The seed that `train` splits with too, where rows say nothing. */
const SPLIT_SEED = 42
const SHIPPED = resolve(import.meta.dirname, '../../../..')

/**
 * Reads data with its split: of the rows, else of the file that `train` left beside them, else a fifth held out as `train`
 * does by default.
 */
async function readDialogues(
  path: string,
): Promise<{ readonly dialogues: readonly SplitDialogue[]; readonly notes: readonly string[] }> {
  const notes: string[] = []
  const all: (readonly DatasetDialogue[])[] = []
  for (const { name, text, warning } of await readTexts(path)) {
    if (warning !== null) notes.push(`warning: ${warning}`)
    const { dialogues, rejected } = readDataset(text, name)
    all.push(dialogues)
    const [first] = rejected
    if (first) {
      notes.push(
        `warning: ${name}: ${rejected.length} rows cannot be used; line ${first.line}: ${first.reason}`,
      )
    }
  }
  const dialogues = all.flat()
  check(dialogues.length > 0, 'usage', () => `${path} holds no dialogue`)
  if (dialogues.every(({ split }) => split === undefined)) {
    const beside = splitPath(path)
    if (beside !== path && (await stat(beside).catch(() => undefined))) return readDialogues(beside)
    notes.push(
      `warning: no row of ${basename(path)} has a split; a fifth is held out with seed ${SPLIT_SEED}`,
    )
    return { dialogues: splitDialogues(dialogues, SPLIT_SEED), notes }
  }
  // In data that is split, a row without a side belongs to nobody's held-out part.
  const split = dialogues.map((dialogue) => ({ ...dialogue, split: dialogue.split ?? ('train' as const) }))
  return { dialogues: split, notes }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** Our kernels where there is a graphics card, else onnxruntime, which a processor runs faster. */
async function fasterEngine(): Promise<string> {
  try {
    const { device, isSoftware } = await openNodeDevice()
    device.destroy()
    return isSoftware ? 'ort' : 'webgpu'
  } catch (error) {
    if (asHycoraError(error, 'webgpu-unavailable').code !== 'webgpu-unavailable') throw error
    return 'ort'
  }
}

/** The options with what is shipped for those left out: the starter, the pack of its name, the cast's lines. */
async function withDefaults(options: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const complete = new Map(options)
  if (!options.has('backbone')) complete.set('backbone', 'starter')
  const name = complete.get('backbone') ?? ''
  if (!options.has('pack')) {
    const pack = join(SHIPPED, 'public/packs', `${name}.hycora.safetensors`)
    const found = await stat(pack).catch(() => undefined)
    check(found, 'usage', () => `--pack is missing, and no pack is shipped for ${name}`)
    complete.set('pack', pack)
  }
  if (!options.has('engine')) complete.set('engine', await fasterEngine())
  return complete
}

function optionsOf(options: ReadonlyMap<string, string>): EvaluationOptions {
  const base = options.has('all') ? WHOLE_EVALUATION : QUICK_EVALUATION
  const split = options.get('split') ?? base.split
  if (split !== 'test' && split !== 'wording')
    throw new HycoraError('usage', `--split is "${split}", expected test or wording`)
  return {
    ...base,
    split,
    exchanges: integerOption(options, 'exchanges', base.exchanges, { least: 1 }),
    generations: integerOption(options, 'generations', base.generations, { least: 0 }),
    seed: integerOption(options, 'seed', base.seed, { least: 0 }),
  }
}

/** Speaks at the start of a phase and at each further quarter of it; first of all, once something is done, the notes. */
function progressReporter(notes: readonly string[]): (progress: EvaluationProgress) => void {
  let last = ''
  return ({ phase, done, all }) => {
    if (last === '') for (const note of notes) say(note)
    const quarter = Math.floor((4 * done) / all)
    const now = `${phase}: ${25 * quarter} %`
    if (now !== last) say(now)
    last = now
  }
}

/** `evaluate`: the figures of a pack on held-out exchanges. */
export async function evaluate(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: ['backbone', 'model', 'pack', 'data', 'engine', 'seed', 'exchanges', 'generations', 'split'],
    flags: ['all', 'json'],
  })
  const evaluationOptions = optionsOf(options)
  const { dialogues, notes } = await readDialogues(
    resolve(options.get('data') ?? join(SHIPPED, 'public/cast/lines.jsonl')),
  )
  const complete = await withDefaults(options)
  const { backbone, model, pack, name } = await openSpeaker(complete)
  if (!pack) throw new HycoraError('usage', '--pack is missing')
  const subject = { name, backbone, model, pack }
  const running = measure(subject, dialogues, evaluationOptions)
  const report = progressReporter([...notes, `${name} with ${pack.name} on ${complete.get('engine')}`])
  for (;;) {
    const next = await running.next()
    if (next.done) {
      process.stdout.write(
        options.has('json') ? `${JSON.stringify(next.value)}\n` : formatEvaluation(next.value),
      )
      return
    }
    report(next.value)
  }
}

function number(value: number | null | undefined): string {
  return value?.toFixed(3) ?? '-'
}

/** The figures as tables for a person. */
export function formatEvaluation({
  roles,
  nll,
  roleSwap,
  roleIdentification: { accuracy, ceiling, floor },
  details,
  ...figures
}: Evaluation): string {
  const width = Math.max(8, ...roles.map((role) => role.length))
  const row = (label: string, values: readonly string[]): string =>
    [label.padEnd(width), ...values.map((value) => value.padStart(9))].join(' ').trimEnd()
  const { bare, prompted, role: own } = details.nllByRole
  return [
    row('NLL', ['bare', 'prompted', 'role']),
    ...roles.map((role, index) => row(role, [bare[index], prompted[index], own[index]].map(number))),
    row('mean', [nll.bare, nll.prompted, nll.role].map(number)),
    '',
    `role swap: accuracy ${number(roleSwap.accuracy)}, a reply ${number(roleSwap.perReply)}, margin ${number(roleSwap.margin)}`,
    `role named: generated ${number(accuracy)}, held out ${number(ceiling)}, bare ${number(floor)}, chance ${number(1 / roles.length)}`,
    `distinct-2 ${number(figures.distinct2)}, BLEU-4 ${number(figures.bleu)}, ROUGE-L ${number(figures.rouge)}`,
    `${details.replies} replies measured, ${details.generations} generated`,
    '',
  ].join('\n')
}
