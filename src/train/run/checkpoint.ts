import { HycoraError, check } from '../../core/errors.ts'
import { isJsonRecord } from '../../core/json.ts'

/** Everything that a stopped run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number
  /** Ties a checkpoint to its run: configuration, data, start and backbone. */
  readonly run: string
  /** What the learning rates are multiplied by, below 1 after a roll-back. */
  readonly rateFactor: number
  readonly facts: RunFacts
  /** Cross-entropy on the held-out rows before the first step; null without them, and in checkpoints of before. */
  readonly startLoss: number | null
  /** Null without held-out rows. */
  readonly best: Best | null
  /** Parameters and moments. */
  readonly state: Uint8Array<ArrayBuffer>
}

/** What a run can tell of itself without a clock, so that the same seed tells the same; losses in nats a reply token. */
export interface RunFacts {
  /** Reply tokens of all steps that were applied. */
  readonly replyTokens: number
  /** Cross-entropy of the first and of the last of them; null before there is one. */
  readonly firstStep: number | null
  readonly lastStep: number | null
  /** Cross-entropy on the held-out rows; null where it was not measured after the last step. */
  readonly heldOut: number | null
}

/** The parameters at the lowest held-out loss. */
export interface Best {
  readonly step: number
  readonly loss: number
  readonly values: Uint8Array<ArrayBuffer>
}

const FORMAT = 'hycora-checkpoint-2'

/**
 * A checkpoint as bytes: the length of a JSON header (u32, little-endian), the header, the state, the best parameters.
 */
export function writeCheckpoint({ state, best, ...facts }: Checkpoint): Uint8Array<ArrayBuffer> {
  const { values = new Uint8Array(0), ...bestFacts } = best ?? {}
  const fields = {
    format: FORMAT,
    ...facts,
    best: best && { ...bestFacts, bytes: values.length },
    bytes: state.length,
  }
  const header = new TextEncoder().encode(JSON.stringify(fields))
  const start = 4 + header.length
  const bytes = new Uint8Array(start + state.length + values.length)
  new DataView(bytes.buffer).setUint32(0, header.length, true)
  bytes.set(header, 4)
  bytes.set(state, start)
  bytes.set(values, start + state.length)
  return bytes
}

function readHeader(bytes: Uint8Array): { readonly header: unknown; readonly end: number } {
  check(
    bytes.length > 4,
    'storage-corrupt',
    () => `the checkpoint has ${bytes.length} bytes, too few for its header`,
  )
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  check(4 + length <= bytes.length, 'storage-corrupt', () => 'the checkpoint ends within its header')
  try {
    return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))), end: 4 + length }
  } catch (error) {
    throw new HycoraError('storage-corrupt', 'the checkpoint’s header is not JSON', { cause: error })
  }
}

/**
 * Reads a checkpoint back.
 *
 * @param run what the run is that wants to go on.
 * @throws HycoraError `storage-corrupt` when it is damaged, `usage` when it is another run's.
 */
export function readCheckpoint(bytes: Uint8Array, run: string): Checkpoint {
  const { header, end } = readHeader(bytes)
  const damaged = new HycoraError('storage-corrupt', 'the checkpoint is damaged or of another version')
  if (!isJsonRecord(header) || header['format'] !== FORMAT) throw damaged
  check(
    header['run'] === run,
    'usage',
    () => 'the checkpoint belongs to another run: data, configuration, start pack or backbone differ',
  )
  const { step, rateFactor, bytes: stateBytes, startLoss: start } = header
  const isNumbered =
    typeof step === 'number' && typeof rateFactor === 'number' && typeof stateBytes === 'number'
  if (!isNumbered) throw damaged
  // Copies of their own: the slice of a Buffer is a view at any offset, where no floats can lie.
  const copy = (from: number, to?: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(bytes.subarray(from, to))
  const best = readBest(header['best'], copy(end + stateBytes))
  if (best === undefined || bytes.length !== end + stateBytes + (best?.values.length ?? 0)) throw damaged
  const facts = readFacts(header['facts'])
  const startLoss = typeof start === 'number' ? start : null
  return { step, rateFactor, run, facts, startLoss, best, state: copy(end, end + stateBytes) }
}

/** What the run knew of itself; nothing where a checkpoint of an earlier version does not say. */
function readFacts(fields: unknown): RunFacts {
  const number = (name: keyof RunFacts): number | null => {
    const value = isJsonRecord(fields) ? fields[name] : null
    return typeof value === 'number' ? value : null
  }
  const [firstStep, lastStep, heldOut] = [number('firstStep'), number('lastStep'), number('heldOut')]
  return { replyTokens: number('replyTokens') ?? 0, firstStep, lastStep, heldOut }
}

/** The best parameters as the header has them; undefined where it is wrong. */
function readBest(fields: unknown, values: Uint8Array<ArrayBuffer>): Best | null | undefined {
  if (fields === null) return null
  if (!isJsonRecord(fields) || fields['bytes'] !== values.length) return undefined
  const { step, loss } = fields
  return typeof step === 'number' && typeof loss === 'number' ? { step, loss, values } : undefined
}

/** A short name of a run: SHA-256 over everything that decides it. */
export async function runName(parts: readonly unknown[]): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(parts))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
