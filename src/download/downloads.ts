import { check, HycoraError } from '../core/errors.ts'
import type { ChunkStore } from './chunkStore.ts'
import { FileAssembly } from './fileAssembly.ts'
import { contentName } from './servedFile.ts'
import type { ManifestFile } from './servedFile.ts'
import { transfer } from './transfer.ts'
import type { Fault } from './transfer.ts'

export interface DownloadProgress {
  readonly doneBytes: number
  readonly totalBytes: number
  /** Bytes of `doneBytes` that came over the network, not from this device. */
  readonly fetchedBytes: number
  /** Why nothing comes at this moment, where it is going to be tried again. */
  readonly trouble: string | null
}

export interface DownloadResult {
  /** Path → content. */
  readonly files: ReadonlyMap<string, Blob>
  /** False when the browser had no room to keep something: it is used now and fetched again next time. */
  readonly kept: boolean
}

export interface DownloadOptions {
  /** Where the paths start, with a slash at the end. */
  readonly folder: string
  readonly signal?: AbortSignal
  /** Where what comes is kept; nowhere without it. */
  readonly store?: ChunkStore | undefined
  /**
   * What lies at an address is the same for ever, and of another origin, which need not show what version it sends and
   * may refuse to be asked for one.
   */
  readonly isPinned?: boolean
  readonly fetcher?: (url: string, init: RequestInit) => Promise<Response>
  /** How long nothing may come before the server is asked again. */
  readonly stallMs?: number
  /** How long to wait before the second attempt; it doubles with each further one. */
  readonly pauseMs?: number
  /** Takes a name that one tab has at a time, and says how to let go of it. */
  readonly lock?: (name: string, signal: AbortSignal | undefined) => Promise<() => void>
}

/** How often in a row an attempt may bring nothing. */
const ATTEMPTS = 3
const STALL_MS = 20_000
const PAUSE_MS = 1000
/** Nobody is kept waiting longer on a server's word. */
const LONGEST_WAIT_MS = 120_000

/**
 * The files of a manifest, from this device where they lie here, else from the server. What comes is kept chunk by chunk,
 * and checked before it is used and each time it leaves the store; one tab at a time fetches a file. After a failure or
 * a stop, the next call asks only for what is missing.
 *
 * @yields progress, at least once for every piece.
 * @throws HycoraError `download-failed` when the server cannot be reached or breaks off; `download-mismatch` when it
 * has not what the manifest says; `cancelled`.
 */
export async function* downloadFiles(
  files: readonly ManifestFile[],
  options: DownloadOptions,
): AsyncGenerator<DownloadProgress, DownloadResult> {
  const { store, lock = noLock } = options
  const result = new Map<string, Blob>()
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let doneBytes = 0
  let fetchedBytes = 0
  let kept = true

  for (const file of files) {
    const parts: Blob[] = []
    for (const piece of file.pieces ?? [file]) {
      const assembly = new FileAssembly(piece, store)
      let fromDevice = 0
      const report = (trouble: string | null): DownloadProgress => ({
        doneBytes: doneBytes + assembly.doneBytes,
        totalBytes,
        fetchedBytes: fetchedBytes + assembly.doneBytes - fromDevice,
        trouble,
      })
      const release = await lock(contentName(piece), options.signal)
      try {
        for await (const present of assembly.readKept()) {
          fromDevice = present
          yield report(null)
        }
        for await (const trouble of fetchMissing(assembly, options)) yield report(trouble)
      } finally {
        release()
      }
      doneBytes += piece.bytes
      fetchedBytes += piece.bytes - fromDevice
      kept &&= assembly.isKept
      parts.push(assembly.content())
    }
    const whole = parts.length === 1 && parts[0] ? parts[0] : new Blob(parts)
    check(
      whole.size === file.bytes,
      'download-mismatch',
      () => `${file.path} has ${whole.size} bytes, expected ${file.bytes}`,
    )
    result.set(file.path, whole)
  }
  return { files: result, kept }
}

/** Asks until a file is whole; yields after each part that came, and what the trouble is before it asks again. */
async function* fetchMissing(
  assembly: FileAssembly,
  options: DownloadOptions,
): AsyncGenerator<string | null, void> {
  const { folder, signal, isPinned = false } = options
  const { fetcher = fetch, stallMs = STALL_MS, pauseMs = PAUSE_MS } = options
  const { file } = assembly
  const fruitless = { connection: 0, content: 0 }
  let furthest = assembly.doneBytes
  let canRange = true
  while (!assembly.isWhole || assembly.needsProof) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the download was stopped')
    const { checkedBytes } = assembly
    const url = addressOf(folder, file.path)
    const attempt = assembly.needsProof
      ? prove(assembly)
      : transfer(assembly, { url, fetcher, canRange, stallMs, isPinned, signal })
    let step = await attempt.next()
    while (!step.done) {
      yield null
      step = await attempt.next()
    }
    const fault = step.value
    if (!fault) continue

    // Whoever gets further may go on asking: a slow or restless connection is no reason to give up.
    if (assembly.checkedBytes > checkedBytes) fruitless.content = 0
    if (assembly.doneBytes > furthest) fruitless.connection = 0
    furthest = Math.max(furthest, assembly.doneBytes)
    if (fault.kind === 'content') assembly.dropUnchecked()
    if (fault.kind === 'range') canRange = false
    const count = ++fruitless[fault.kind === 'content' ? 'content' : 'connection']
    const { waitMs = 0 } = fault
    const isHopeless = fault.kind === 'missing' || waitMs > LONGEST_WAIT_MS || isOffline()
    if (isHopeless || count >= ATTEMPTS) throw failure(fault)
    yield fault.message
    await pause(Math.max(waitMs, pauseMs * 2 ** (count - 1)), signal)
  }
}

/** Looks at a file whose chunks could not be checked one by one. */
async function* prove(assembly: FileAssembly): AsyncGenerator<void, Fault | null> {
  yield
  const message = await assembly.prove()
  return message ? { kind: 'content', message } : null
}

/** Where a file lies; parts of its path may have any sign in their names. */
function addressOf(folder: string, path: string): string {
  return folder + path.split('/').map(encodeURIComponent).join('/')
}

function isOffline(): boolean {
  return typeof navigator === 'object' && 'onLine' in navigator && !navigator.onLine
}

function noLock(): Promise<() => void> {
  return Promise.resolve(() => undefined)
}

function failure({ kind, message }: Fault): HycoraError {
  if (kind === 'content' || kind === 'missing') return new HycoraError('download-mismatch', message)
  return new HycoraError('download-failed', isOffline() ? `${message}; this device is offline` : message)
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal?.addEventListener('abort', end)
    if (signal?.aborted) end()
  })
}
