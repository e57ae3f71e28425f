import type { SplitDialogue } from '../../core/dialogue.ts'
import { check } from '../../core/errors.ts'
import type { Pack } from '../../formats/pack.ts'
import type { Decoder } from '../../model/decoder/decoder.ts'
import { RowStream, padBatch, spreadOver } from '../data/batches.ts'
import { runName } from './checkpoint.ts'
import type { TrainConfig } from '../settings/config.ts'
import { encodeRow } from '../data/rows.ts'
import type { TextCodec } from '../../model/chatModel.ts'
import type { TokenRow } from '../data/rows.ts'
import type { EncodedDialogue } from '../data/samples.ts'
import type { BatchSource } from './run.ts'
import { beginTraining, learntLine } from '../parameters/trainee.ts'
import type { Trainee } from '../parameters/trainee.ts'

/** What decides a run beside its data. */
export interface RunGround {
  readonly config: TrainConfig
  readonly decoder: Decoder
  /** The backbone's; empty where it has none. */
  readonly fingerprint: string
  readonly start: Pack | null
}

/** A run on a data set, ready to begin. */
export interface PreparedRows {
  readonly trainee: Trainee
  /** See `runName`. */
  readonly run: string
  readonly batches: BatchSource
  /** How many rows are trained on. */
  readonly rows: number
  /** What of the data is not trained on, and why. */
  readonly rejected: readonly string[]
  /** What else should be told, a sentence each. */
  readonly notes: readonly string[]
}

/** Rows that the held-out loss is measured on at most. */
const HELD_OUT_ROWS = 48

/** What a run begins with, and its name; `data` is what tells its data from other data. */
export async function prepareRun(
  { config, decoder, fingerprint, start }: RunGround,
  roles: readonly string[],
  data: unknown,
): Promise<{ readonly trainee: Trainee; readonly run: string }> {
  const trainee = beginTraining(config, decoder, roles, start)
  return { trainee, run: await runName([config, start?.sha256 ?? null, data, fingerprint]) }
}

/** Batches out of rows: spread by role, epoch after epoch. */
export function rowBatches(
  rows: readonly TokenRow[],
  heldOut: readonly TokenRow[],
  trainee: Trainee,
  config: TrainConfig,
): BatchSource {
  check(rows.length > 0, 'usage', () => 'there is nothing to train on: no row of the data is left')
  const roleIds = new Map(trainee.roles.map(({ name }, index) => [name, index]))
  const stream = new RowStream(rows, config.batch, config.seed, config.wordings)
  const perStep = config.batch * config.accumulate
  const measured = spreadOver(heldOut, HELD_OUT_ROWS)
  return {
    limits: { rows: config.batch, tokens: Math.max(...[...rows, ...measured].map(({ ids }) => ids.length)) },
    epochs: (config.steps * perStep) / stream.length,
    at: (step) =>
      Array.from({ length: config.accumulate }, (_, micro) =>
        padBatch(stream.at(step * config.accumulate + micro), roleIds),
      ),
    heldOut: Array.from({ length: Math.ceil(measured.length / config.batch) }, (_, index) =>
      padBatch(measured.slice(index * config.batch, (index + 1) * config.batch), roleIds),
    ),
  }
}

/** Rows out of dialogues, each behind the line that its role has in the pack to be; and those that are none, with their place. */
export function encodeDialogues(
  codec: TextCodec,
  { config, start }: Pick<RunGround, 'config' | 'start'>,
  dialogues: readonly SplitDialogue[],
): { readonly rows: readonly EncodedDialogue[]; readonly rejected: readonly string[] } {
  const rows: EncodedDialogue[] = []
  const rejected: string[] = []
  for (const dialogue of dialogues) {
    const row = encodeRow(codec, dialogue, learntLine(config, start, dialogue.role), config.maxTokens)
    if ('reason' in row) rejected.push(`${placeOf(dialogue)}${row.reason}`)
    else rows.push({ dialogue, row })
  }
  return { rows, rejected }
}

/** The beginning of a sentence that says which row is meant. */
function placeOf({ line, file }: SplitDialogue): string {
  if (line === undefined) return ''
  return file === undefined ? `line ${line}: ` : `${file}, line ${line}: `
}

/** What ends an answer where the template writes nothing that does. */
function aboutEnds(rows: readonly TokenRow[], { tokenizer, stopIds }: TextCodec): readonly string[] {
  if (!rows.some(({ isOpen }) => isOpen)) return []
  const [stop] = stopIds
  return [
    stop === undefined
      ? 'Neither the chat template nor the model has a token that ends a turn: answers go on to their limit.'
      : `The chat template writes no token that ends a turn: ${tokenizer.decode([stop])} is learnt behind the last reply of a dialogue.`,
  ]
}

/** One sentence's end about the rows of roles that the pack to be does not have. */
function aboutForeign(rows: readonly TokenRow[]): readonly string[] {
  if (rows.length === 0) return []
  const names = [...new Set(rows.map(({ role }) => role))].join(', ')
  return [`${rows.length} rows of ${names}, whom the pack that is trained does not have`]
}

/**
 * A run on split dialogues: rows of the splits `test` and `wording` are never trained on, and neither are those of roles that are neither
 * the start pack's nor the new one.
 *
 * @throws HycoraError `usage` when no row is left, or none of the role that is to be taught; what `beginTraining` throws.
 */
export async function prepareRows(
  ground: RunGround,
  codec: TextCodec,
  dialogues: readonly SplitDialogue[],
): Promise<PreparedRows> {
  const { config } = ground
  const rowsOf = (side: 'train' | 'test') => {
    const own = dialogues.filter(({ split }) => split === side)
    const { rows: encoded, rejected } = encodeDialogues(codec, ground, own)
    return { rows: encoded.map(({ row }) => row), rejected }
  }
  const [learnt, heldBack] = [rowsOf('train'), rowsOf('test')]
  const names = [...new Set(learnt.rows.map(({ role }) => role))]
  check(
    config.mode === 'all' || config.role === null || names.includes(config.role),
    'usage',
    () => `mode "${config.mode}" teaches ${config.role}, of whom the data has no row to train on`,
  )
  // Where a row stood in its file changes nothing of the run.
  const data = dialogues.map(({ line: _line, file: _file, ...dialogue }) => dialogue)
  const { trainee, run } = await prepareRun(ground, names, data)
  const known = new Set(trainee.roles.map(({ name }) => name))
  const isKnown = ({ role }: TokenRow): boolean => known.has(role)
  const [rows, heldOut] = [learnt.rows.filter(isKnown), heldBack.rows.filter(isKnown)]
  const foreign = [...learnt.rows, ...heldBack.rows].filter((row) => !isKnown(row))
  return {
    trainee,
    run,
    batches: rowBatches(rows, heldOut, trainee, config),
    rows: rows.length,
    rejected: [...learnt.rejected, ...heldBack.rejected, ...aboutForeign(foreign)],
    notes: aboutEnds(rows, codec),
  }
}
