import type { SplitDialogue } from '../core/dialogue.ts'
import { createHash } from 'node:crypto'
import { createReadStream, openAsBlob } from 'node:fs'
import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'

import { dataIn } from '../core/dataFolder.ts'
import { HycoraError, check } from '../core/errors.ts'
import { isJsonRecord } from '../core/json.ts'
import type { JsonRecord } from '../core/json.ts'
import { decodeText } from '../core/text.ts'
import type { DecodedText } from '../core/text.ts'
import { linesIn } from '../exchange/linesIn.ts'
import { writeDataset } from '../formats/dataset.ts'
import { readDatasets } from '../formats/datasets.ts'
import type { DatasetsReading } from '../formats/datasets.ts'
import type { DatasetDialogue, DatasetOptions } from '../formats/dataset/reading.ts'
import { readSafetensorsHeader } from '../formats/safetensors.ts'
import type { Batch } from '../train/data/batches.ts'
import { splitDialogues } from '../train/data/split.ts'
import type { BatchSource } from '../train/run/run.ts'
import { fileSource } from './files.ts'

/** A text file's content, and what should be told of how it was read. */
export async function readText(path: string): Promise<DecodedText> {
  const bytes = await readFile(resolve(path)).catch(() => {
    throw new HycoraError('usage', `${path} cannot be read`)
  })
  return decodeText(bytes, basename(path))
}

/** A training file's JSON; without a path nothing is set. @throws HycoraError `format-invalid` where it is none. */
export async function readTrainingFile(path: string | undefined): Promise<JsonRecord> {
  if (path === undefined) return {}
  const { text } = await readText(path)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new HycoraError('format-invalid', `${path} is not JSON`)
  }
  check(isJsonRecord(value), 'format-invalid', () => `${path} is not a JSON object of settings`)
  return value
}

async function textIn(name: string, at: string): Promise<{ readonly name: string } & DecodedText> {
  const file = await openAsBlob(resolve(at))
  return { name, ...(await linesIn({ path: name, file })) }
}

/** The texts of a data file, or of every file of lines and tables of a folder but splits that were drawn. */
async function readTexts(path: string): Promise<{
  readonly texts: readonly ({ readonly name: string } & DecodedText)[]
  readonly left: readonly string[]
}> {
  const found = await stat(resolve(path)).catch(() => undefined)
  if (!found) throw new HycoraError('usage', `${path} is no file and no folder`)
  if (!found.isDirectory()) return { texts: [await textIn(basename(path), path)], left: [] }
  const paths = await readdir(resolve(path), { recursive: true })
  const { taken, left } = dataIn(paths.map((inside) => inside.replaceAll(sep, '/')))
  check(taken.length > 0, 'usage', () => `${path} has no file of JSON Lines or CSV`)
  return { texts: await Promise.all(taken.map((name) => textIn(name, join(path, name)))), left }
}

/** Reads a data set, or a folder of them, and what should be told of how they were read. */
export async function readData(
  path: string,
  options: DatasetOptions = {},
): Promise<DatasetsReading & { readonly warnings: readonly string[] }> {
  const { texts, left } = await readTexts(path)
  const warnings = texts.flatMap(({ warning }) => (warning === null ? [] : [warning]))
  const unread = `${path}: of a folder only .jsonl, .ndjson, .csv and .tsv are read, not ${left.join(', ')}`
  return { ...readDatasets(texts, options), warnings: left.length > 0 ? [...warnings, unread] : warnings }
}

const COLUMNS = ['user', 'reply', 'role'] as const

/** The columns of a CSV file as `user=…,reply=…[,role=…]` names them. */
function columnsOf(text: string): NonNullable<DatasetOptions['columns']> {
  const parts = text.split(/,(?=(?:user|reply|role)=)/)
  const named = new Map(
    parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1).trim()]),
  )
  const [user, reply, role] = COLUMNS.map((name) => named.get(name))
  const isKnown = [...named.keys()].every((name) => COLUMNS.some((known) => known === name))
  if (!user || !reply || role === '' || !isKnown || named.size < parts.length) {
    throw new HycoraError(
      'usage',
      `--columns is "${text}", expected user=COLUMN,reply=COLUMN and perhaps role=COLUMN`,
    )
  }
  return { user, reply, ...(role !== undefined && { role }) }
}

/** How `--role` and `--columns` have a data set read that does not say it itself. */
export function datasetOptions(options: ReadonlyMap<string, string>): DatasetOptions {
  const [roleName, columns] = [options.get('role'), options.get('columns')]
  return {
    ...(roleName !== undefined && { roleName }),
    ...(columns !== undefined && { columns: columnsOf(columns) }),
  }
}

/** Where a split is written: beside the data. */
export function splitPath(path: string): string {
  return `${resolve(path).replace(/\.(jsonl?|csv|txt)$/i, '')}.split.jsonl`
}

/**
 * Reads a data set, or a folder of them, and splits it; where the data had no split of its own, the result is written beside
 * it, unless it is not to be kept.
 *
 * @throws HycoraError `format-invalid` when no row is a dialogue.
 */
export async function readDialogues(
  path: string,
  seed: number,
  { isKept = true, ...options }: DatasetOptions & { readonly isKept?: boolean } = {},
): Promise<readonly SplitDialogue[]> {
  const { dialogues, rejected, notes, warnings } = await readData(path, options)
  const own = basename(path)
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  for (const { file = own, line, reason } of rejected) process.stderr.write(`${file}:${line}: ${reason}\n`)
  for (const note of notes) process.stderr.write(`${own}: ${note}\n`)
  check(dialogues.length > 0, 'format-invalid', () => `${path} has no row that is a dialogue`)
  const split = splitDialogues(dialogues, seed)
  const isGiven = dialogues.every((dialogue) => dialogue.split !== undefined)
  if (!isGiven && isKept) await writeSplit(splitPath(path), split)
  return split
}

/** Writes a split beside its data; where that can only be read, the run does without. */
async function writeSplit(path: string, split: readonly DatasetDialogue[]): Promise<void> {
  try {
    await writeFile(path, writeDataset(split))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    process.stderr.write(`warning: the split cannot be written beside the data: ${reason}\n`)
  }
}

function slice(values: readonly number[] | undefined, step: number, length: number): readonly number[] {
  return values?.slice(step * length, (step + 1) * length) ?? []
}

const INTEGERS = ['input_ids', 'reply_mask', 'anchor', 'role_ids'] as const

async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path)) hash.update(part)
  return hash.digest('hex')
}

/** Batches of a file. */
export interface GivenBatches extends BatchSource {
  readonly steps: number
  /** The largest role id and one. */
  readonly roles: number
  /** Of the whole file. */
  readonly sha256: string
}

/**
 * Given batches: `input_ids`, `reply_mask` [steps, batch, tokens], `anchor`, `role_ids` [steps, batch], all I64. Together
 * they are one epoch.
 *
 * @throws HycoraError `format-invalid` naming the tensor that is missing or has another shape.
 */
export async function readBatches(path: string): Promise<GivenBatches> {
  const source = await fileSource(resolve(path)).catch(() => {
    throw new HycoraError('usage', `${path} cannot be read`)
  })
  const { tensors } = await readSafetensorsHeader(source)
  const read = async (
    name: (typeof INTEGERS)[number],
  ): Promise<{ shape: readonly number[]; values: number[] }> => {
    const tensor = tensors.get(name)
    if (tensor?.dtype !== 'I64') throw new HycoraError('format-invalid', `${path} has no ${name} of I64`)
    const bytes = (await source.read(tensor.offset, tensor.sizeBytes)).slice()
    return { shape: tensor.shape, values: Array.from(new BigInt64Array(bytes.buffer), Number) }
  }
  const [ids, mask, anchors, roles] = await Promise.all(INTEGERS.map(read))
  const [steps = 0, rows = 0, tokens = 0] = ids?.shape ?? []
  const expected = { reply_mask: [steps, rows, tokens], anchor: [steps, rows], role_ids: [steps, rows] }
  for (const [name, tensor] of [
    ['reply_mask', mask],
    ['anchor', anchors],
    ['role_ids', roles],
  ] as const) {
    const shape = expected[name].join(', ')
    check(
      tensor?.shape.join(', ') === shape,
      'format-invalid',
      () => `${name} has another shape than [${shape}]`,
    )
  }
  const batchAt = (step: number): Batch => ({
    rows,
    tokens,
    ids: Uint32Array.from(slice(ids?.values, step, rows * tokens)),
    isReply: Uint8Array.from(slice(mask?.values, step, rows * tokens)),
    anchors: slice(anchors?.values, step, rows),
    roles: slice(roles?.values, step, rows),
  })
  return {
    steps,
    roles: (roles?.values ?? []).reduce((most, id) => Math.max(most, id + 1), 0),
    sha256: await fileHash(resolve(path)),
    epochs: 1,
    limits: { rows, tokens },
    heldOut: [],
    at: (step) => [batchAt(step)],
  }
}
