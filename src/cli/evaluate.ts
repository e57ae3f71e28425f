import type { Dialogue, SplitDialogue } from '../core/dialogue.ts'
import { stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'

import { HycoraError, check } from '../core/errors.ts'
import { QUICK_EVALUATION, WHOLE_EVALUATION } from '../evaluate/evaluate.ts'
import type { EvaluationProgress } from '../evaluate/evaluate.ts'
import { MEASURES, QUICK_MEASURES, WHOLE_MEASURES, takeMeasures } from '../evaluate/measures.ts'
import type { Measure, MeasureOptions } from '../evaluate/measures.ts'
import type { DatasetDialogue } from '../formats/dataset/reading.ts'
import { splitDialogues } from '../train/data/split.ts'
import { shippedPath } from './files.ts'
import { integerOption, parseArguments } from './arguments.ts'
import { fasterEngine, openSpeaker } from './engine.ts'
import { DECODING_OPTIONS, decodingOf } from './generate.ts'
import { formatReport } from './formatReport.ts'
import { openMemory } from './memoryFile.ts'
import { readSheets } from './sheets.ts'
import { readData, splitPath } from './trainingData.ts'

/** The seed that `train` splits with too, where rows say nothing. */
const SPLIT_SEED = 42

/** What makes a dialogue the same in the data and in a split that was drawn of it. */
function keyOf({ role, turns }: Dialogue): string {
  return JSON.stringify([
    role,
    turns.map(({ speaker, text, isLearnt }) => [speaker, text, isLearnt !== false]),
  ])
}

/** The dialogues of a file or a folder, and what should be told of them. */
async function readAll(path: string): Promise<{
  readonly dialogues: readonly DatasetDialogue[]
  readonly notes: readonly string[]
}> {
  const { dialogues, rejected, notes, warnings } = await readData(path)
  const [first] = rejected
  const unused =
    first &&
    `${rejected.length} rows cannot be used; ${first.file ?? basename(path)}, line ${first.line}: ${first.reason}`
  return {
    dialogues,
    notes: [...warnings, ...(unused ? [unused] : [])]
      .map((warning) => `warning: ${warning}`)
      .concat(notes.map((note) => `${basename(path)}: ${note}`)),
  }
}

/** The present dialogues on the sides that a split beside them says; those that it does not know have none. */
function sidesOf(
  dialogues: readonly DatasetDialogue[],
  beside: readonly DatasetDialogue[],
): readonly DatasetDialogue[] {
  const sides = new Map(beside.map((dialogue) => [keyOf(dialogue), dialogue.split]))
  return dialogues.map((dialogue) => {
    const split = sides.get(keyOf(dialogue))
    return split === undefined ? dialogue : { ...dialogue, split }
  })
}

/**
 * Reads data with its split: of the rows, else of the file that `train` left beside them, for the lines that are still
 * there, else a fifth held out as `train` does by default.
 */
export async function readMeasured(
  path: string,
): Promise<{ readonly dialogues: readonly SplitDialogue[]; readonly notes: readonly string[] }> {
  const { dialogues, notes } = await readAll(path)
  check(dialogues.length > 0, 'usage', () => `${path} holds no dialogue`)
  if (dialogues.some(({ split }) => split !== undefined)) {
    // In data that is split, a row without a side belongs to nobody's held-out part.
    const split = dialogues.map((dialogue) => ({ ...dialogue, split: dialogue.split ?? ('train' as const) }))
    return { dialogues: split, notes }
  }
  const beside = splitPath(path)
  const hasSplit = beside !== path && (await stat(beside).catch(() => undefined)) !== undefined
  const known = hasSplit ? (await readAll(beside)).dialogues : []
  const sided = sidesOf(dialogues, known)
  const fresh = sided.filter(({ split }) => split === undefined).length
  const gone = known.length - (dialogues.length - fresh)
  const note = !hasSplit
    ? `no row of ${basename(path)} has a split; a fifth is held out with seed ${SPLIT_SEED}`
    : `${basename(beside)} is of other lines: ${fresh} are new, ${gone} are gone; the new ones are split with seed ${SPLIT_SEED}`
  const isStale = fresh > 0 || gone > 0
  return {
    dialogues: splitDialogues(sided, SPLIT_SEED),
    notes: isStale ? [...notes, `warning: ${note}`] : notes,
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

/** The options with what is shipped for those left out: the starter, the faster engine. */
async function withDefaults(options: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const complete = new Map(options)
  if (!options.has('backbone')) complete.set('backbone', 'starter')
  if (!options.has('engine')) complete.set('engine', await fasterEngine())
  return complete
}

/** The measures that `--only` names, in the order in which they are taken; all of them without it. */
function measuresOf(text: string | undefined): readonly Measure[] {
  if (text === undefined) return MEASURES
  const wanted = text.split(',').map((name) => name.trim())
  const unknown = wanted.find((name) => !MEASURES.some((known) => known === name))
  check(unknown === undefined, 'usage', () => {
    return `there is no measure "${unknown}"; there are ${MEASURES.join(', ')}`
  })
  return MEASURES.filter((name) => wanted.includes(name))
}

function optionsOf(options: ReadonlyMap<string, string>): MeasureOptions {
  const base = options.has('all')
    ? { ...WHOLE_EVALUATION, ...WHOLE_MEASURES }
    : { ...QUICK_EVALUATION, ...QUICK_MEASURES }
  const split = options.get('split') ?? base.split
  if (split !== 'test' && split !== 'wording')
    throw new HycoraError('usage', `--split is "${split}", expected test or wording`)
  const atLeast = (name: keyof typeof QUICK_MEASURES | 'exchanges', least: number): number =>
    integerOption(options, name, base[name], { least })
  return {
    ...base,
    split,
    measures: measuresOf(options.get('only')),
    exchanges: atLeast('exchanges', 1),
    generations: integerOption(options, 'generations', base.generations, { least: 0 }),
    questions: atLeast('questions', 1),
    facts: atLeast('facts', 1),
    chats: atLeast('chats', 1),
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

/** `evaluate`: the figures of a pack: how it sounds on held-out exchanges, and what it answers. */
export async function evaluate(words: readonly string[]): Promise<void> {
  const { options } = parseArguments(words, {
    values: [
      'backbone',
      'model',
      'pack',
      'data',
      'engine',
      'seed',
      'exchanges',
      'generations',
      'split',
      'only',
      'questions',
      'facts',
      'chats',
      'sheets',
      'memory',
      ...DECODING_OPTIONS,
    ],
    flags: ['all', 'json'],
  })
  const measureOptions = optionsOf(options)
  const { dialogues, notes } = await readMeasured(
    resolve(options.get('data') ?? shippedPath('public/cast/lines.jsonl')),
  )
  const sheets = await readSheets(resolve(options.get('sheets') ?? shippedPath('data/cast')))
  const complete = await withDefaults(options)
  const { backbone, model, pack, name } = await openSpeaker(complete, 'floats', true)
  if (!pack) throw new HycoraError('usage', '--pack is missing')
  const engine = complete.get('engine') ?? ''
  const memoryPath = options.get('memory')
  const memory =
    memoryPath === undefined
      ? undefined
      : await openMemory(memoryPath, { backbone: `${name} ${model.fingerprint} ${engine}`, pack })
  const decoding = decodingOf(options)
  const subject = { name, backbone, model, pack, decoding, ...(memory && { memory }) }
  const running = takeMeasures(subject, dialogues, sheets, measureOptions)
  const report = progressReporter([...notes, `${name} with ${pack.name} on ${engine}`])
  for (;;) {
    const next = await running.next()
    if (next.done) {
      process.stdout.write(options.has('json') ? `${JSON.stringify(next.value)}\n` : formatReport(next.value))
      return
    }
    report(next.value)
  }
}
