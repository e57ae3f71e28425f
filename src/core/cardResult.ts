import { check } from './errors.ts'
import { isJsonRecord, ownField } from './json.ts'
import type { JsonRecord } from './json.ts'

/** What is measured of a graphics card, in the order of running. */
export const CARD_CASES = [
  'cold-start',
  'decode-128',
  'decode-2048',
  'prompt-32',
  'prompt-256',
  'prompt-1024',
  'switch',
  'generate',
  'training',
] as const
export type CardCase = (typeof CARD_CASES)[number]

/** The models that it is measured with: two that are served, and random ones of the shapes of others, made on the spot. */
export const CARD_MODELS = ['smollm2', 'starter', 'tiny', '0.5b', '1b', '1.5b'] as const
export type CardModelName = (typeof CARD_MODELS)[number]

/** Those that are taken where nothing is said. */
export const USUAL_CARD_MODELS: readonly CardModelName[] = ['smollm2', '0.5b', '1b', '1.5b']

/** Who is measured: the backbone alone, as a role, or onnxruntime's WebGPU provider; of training, reading the same. */
export type CardSide = 'bare' | 'role' | 'onnxruntime' | 'reading'

/** One number of one side, or why there is none. */
export interface CardRow {
  readonly case: CardCase
  readonly side: CardSide
  readonly unit: 'tokens/s' | 'ms'
  /** Of all rounds; the half of them around it lies between the other two. */
  readonly median: number | null
  readonly low: number | null
  readonly high: number | null
  readonly rounds: number
  readonly note?: string
}

/** What one kernel takes of a token, all its dispatches together. */
export interface KernelTime {
  readonly kernel: string
  readonly dispatches: number
  readonly microseconds: number
}

export interface CardModel {
  readonly name: string
  /** How its weights are stored. */
  readonly type: string
  readonly parameters: number
  /** What a token reads of the weights. */
  readonly weightBytes: number
  readonly dispatchesPerToken: number
  readonly rows: readonly CardRow[]
  /** Of our logits against onnxruntime's, before anything was timed; null where it does not run, which `rivalNote` explains. */
  readonly nmse: number | null
  readonly rivalNote: string
  /** A token's share of each kernel, where they were timed one by one. */
  readonly kernels?: readonly KernelTime[]
}

/** What a card was measured to do, with all that it takes to judge it; `hycora bench --card` and the page write it. */
export interface CardResult {
  readonly kind: 'hycora card'
  readonly version: 1
  /** Of the measuring, YYYY-MM-DD. */
  readonly date: string
  /** Of this project. */
  readonly commit: string
  /** What the adapter says of itself; browsers keep much of it back. */
  readonly device: {
    readonly vendor: string
    readonly architecture: string
    readonly device: string
    readonly driver: string
  }
  /** Whether a processor only plays a graphics card. */
  readonly isSoftware: boolean
  readonly browser: string
  /** What it computed with, by the names of `src/gpu/tuning.ts`. */
  readonly tuning: JsonRecord
  /** Bytes a second that a copy reads and writes, and what one more dispatch that waits for the one before it takes. */
  readonly floor: { readonly copyBytesPerSecond: number; readonly dispatchMicroseconds: number }
  readonly models: readonly CardModel[]
}

/** The least time of a token: all that is read at the speed of a copy, and the dispatches one after the other. */
export function floorMilliseconds({ floor }: CardResult, bytes: number, dispatches: number): number {
  return (1000 * bytes) / floor.copyBytesPerSecond + (dispatches * floor.dispatchMicroseconds) / 1000
}

function fieldOf(
  record: JsonRecord,
  key: string,
  type: 'string' | 'number' | 'boolean',
  where: string,
): void {
  const value = ownField(record, key)
  check(typeof value === type, 'format-invalid', () => `${where} has a ${key} that is no ${type}`)
  if (type !== 'number') return
  check(Number.isFinite(value), 'format-invalid', () => `${where} has a ${key} that is not finite`)
}

function recordsOf(record: JsonRecord, key: string, where: string): readonly JsonRecord[] {
  const value = ownField(record, key)
  check(
    Array.isArray(value) && value.every(isJsonRecord),
    'format-invalid',
    () => `${where} has a ${key} that is no list of objects`,
  )
  return value
}

function recordField(record: JsonRecord, key: string, where: string): JsonRecord {
  const value = ownField(record, key)
  check(isJsonRecord(value), 'format-invalid', () => `${where} has a ${key} that is no object`)
  return value
}

function checkRow(row: JsonRecord, where: string): void {
  const [name, side] = [ownField(row, 'case'), ownField(row, 'side')]
  check(
    CARD_CASES.some((known) => known === name),
    'format-invalid',
    () => `${where} has an unknown case`,
  )
  const sides: readonly unknown[] = ['bare', 'role', 'onnxruntime', 'reading'] satisfies CardSide[]
  check(sides.includes(side), 'format-invalid', () => `${where} has an unknown side`)
  fieldOf(row, 'unit', 'string', where)
  fieldOf(row, 'rounds', 'number', where)
  const isLeftOut = ownField(row, 'median') === null
  for (const key of ['median', 'low', 'high']) if (!isLeftOut) fieldOf(row, key, 'number', where)
  if (isLeftOut) fieldOf(row, 'note', 'string', where)
}

/**
 * Checks a result that somebody has sent.
 *
 * @throws HycoraError `format-invalid` naming what it lacks.
 */
export function readCardResult(value: unknown, where: string): CardResult {
  const isOne =
    isJsonRecord(value) && ownField(value, 'kind') === 'hycora card' && ownField(value, 'version') === 1
  check(isOne, 'format-invalid', () => `${where} is no result of hycora bench --card`)
  for (const key of ['date', 'commit', 'browser']) fieldOf(value, key, 'string', where)
  fieldOf(value, 'isSoftware', 'boolean', where)
  const device = recordField(value, 'device', where)
  for (const key of ['vendor', 'architecture', 'device', 'driver']) fieldOf(device, key, 'string', where)
  const floor = recordField(value, 'floor', where)
  for (const key of ['copyBytesPerSecond', 'dispatchMicroseconds']) fieldOf(floor, key, 'number', where)
  recordField(value, 'tuning', where)
  for (const model of recordsOf(value, 'models', where)) {
    for (const key of ['name', 'type', 'rivalNote']) fieldOf(model, key, 'string', where)
    for (const key of ['parameters', 'weightBytes', 'dispatchesPerToken'])
      fieldOf(model, key, 'number', where)
    for (const row of recordsOf(model, 'rows', where)) checkRow(row, where)
    if (ownField(model, 'kernels') === undefined) continue
    for (const kernel of recordsOf(model, 'kernels', where)) {
      fieldOf(kernel, 'kernel', 'string', where)
      for (const key of ['dispatches', 'microseconds']) fieldOf(kernel, key, 'number', where)
    }
  }
  return value as unknown as CardResult
}
