import { HycoraError, check } from '../core/errors.ts'
import { isJsonRecord } from '../formats/json.ts'

/** Everything that a stopped run needs to go on as if it had never stopped. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number
  /** Ties a checkpoint to its run: configuration, data, start and backbone. */
  readonly run: string
  /** What the learning rates are multiplied by, below 1 after a roll-back. */
  readonly rateFactor: number
  readonly bestLoss: number | null
  /** Parameters and moments. */
  readonly state: Uint8Array<ArrayBuffer>
}

const FORMAT = 'hycora-checkpoint-1'

/** A checkpoint as bytes: the length of a JSON header (u32, little-endian), the header, the state. */
export function writeCheckpoint({ state, ...facts }: Checkpoint): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(JSON.stringify({ format: FORMAT, ...facts, bytes: state.length }))
  const bytes = new Uint8Array(4 + header.length + state.length)
  new DataView(bytes.buffer).setUint32(0, header.length, true)
  bytes.set(header, 4)
  bytes.set(state, 4 + header.length)
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
  const isWhole =
    isJsonRecord(header) && header['format'] === FORMAT && header['bytes'] === bytes.length - end
  check(isWhole, 'storage-corrupt', () => 'the checkpoint is damaged or of another version')
  check(
    header['run'] === run,
    'usage',
    () => 'the checkpoint belongs to another run: data, configuration, start pack or backbone differ',
  )
  const { step, rateFactor, bestLoss } = header
  const numbers = typeof step === 'number' && typeof rateFactor === 'number'
  if (!numbers) throw new HycoraError('storage-corrupt', 'the checkpoint’s header lacks its numbers')
  return {
    step,
    rateFactor,
    run,
    bestLoss: typeof bestLoss === 'number' ? bestLoss : null,
    state: bytes.slice(end),
  }
}

/** A short name of a run: SHA-256 over everything that decides it. */
export async function runName(parts: readonly unknown[]): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(parts))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
