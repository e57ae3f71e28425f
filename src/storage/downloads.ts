import { check, HycoraError } from '../core/errors.ts'
import { FileAssembly } from './fileAssembly.ts'
import { openFileCache } from './fileCache.ts'
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
  readonly cacheName?: string
  readonly fetcher?: (url: string, init: RequestInit) => Promise<Response>
  /** How long nothing may come before the server is asked again. */
  readonly stallMs?: number
  /** How long to wait before the second attempt; it doubles with each further one. */
  readonly pauseMs?: number
}

/** How often in a row an attempt may bring nothing. */
const ATTEMPTS = 3
const STALL_MS = 20_000
const PAUSE_MS = 1000

/**
 * The files of a manifest, from this device where they lie here, else from the server. What comes is checked and kept
 * chunk by chunk, and checked again each time it leaves the cache; one tab at a time fetches a file. After a failure
 * or a stop, the next call asks only for what is missing.
 *
 * @yields progress, at least once for every piece.
 * @throws HycoraError `download-failed` when the server cannot be reached or breaks off; `download-mismatch` when it
 * has not what the manifest says; `cancelled`.
 */
export async function* downloadFiles(
  files: readonly ManifestFile[],
  options: DownloadOptions,
): AsyncGenerator<DownloadProgress, DownloadResult> {
  const cache = await openFileCache(options.cacheName)
  const result = new Map<string, Blob>()
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let doneBytes = 0
  let fetchedBytes = 0
  let kept = true

  for (const file of files) {
    const parts: Blob[] = []
    for (const piece of file.pieces ?? [file]) {
      const assembly = new FileAssembly(piece, cache)
      let fromDevice = 0
      const report = (trouble: string | null): DownloadProgress => ({
        doneBytes: doneBytes + assembly.doneBytes,
        totalBytes,
        fetchedBytes: fetchedBytes + assembly.doneBytes - fromDevice,
        trouble,
      })
      const release = await lockFile(piece.sha256, options.signal)
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
  const { folder, signal, fetcher = fetch, stallMs = STALL_MS, pauseMs = PAUSE_MS } = options
  const { file } = assembly
  const fruitless = { connection: 0, content: 0 }
  let furthest = assembly.doneBytes
  let canRange = true
  while (!assembly.isWhole) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the download was stopped')
    const { checkedBytes } = assembly
    const attempt = transfer(assembly, { url: folder + file.path, fetcher, canRange, stallMs, signal })
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
    if (fault.kind === 'missing' || count >= ATTEMPTS || !navigator.onLine) throw failure(fault)
    yield fault.message
    await pause(pauseMs * 2 ** (count - 1), signal)
  }
}

function failure({ kind, message }: Fault): HycoraError {
  if (kind === 'content' || kind === 'missing') return new HycoraError('download-mismatch', message)
  return new HycoraError('download-failed', navigator.onLine ? message : `${message}; this device is offline`)
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

/** Waits until no other tab fetches this file; resolves with how to let go. */
function lockFile(name: string, signal: AbortSignal | undefined): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise((release) => resolve(release))
    const lock = navigator.locks.request(`hycora-file:${name}`, signal ? { signal } : {}, hold)
    lock.catch((cause: unknown) =>
      reject(new HycoraError('cancelled', 'the download was stopped', { cause })),
    )
  })
}

/**
 * A small JSON file of this site, fresh where it comes whole, else as it last was.
 *
 * @throws HycoraError `download-failed` when it neither comes nor lies here; `format-invalid` when it is not JSON.
 */
export async function fetchJson(
  url: string,
  options: Pick<DownloadOptions, 'cacheName' | 'fetcher' | 'stallMs'> = {},
): Promise<unknown> {
  const cache = await openFileCache(options.cacheName)
  try {
    const text = await fetchText(url, options)
    const json = parseJson(url, text)
    // Keeping it is a convenience for a later visit without a network; a full disk must not spoil this one.
    await cache?.put(url, new Response(text)).catch(() => undefined)
    return json
  } catch (thrown) {
    const kept = await cache?.match(url)
    if (!kept) throw thrown
    return parseJson(url, await kept.text())
  }
}

async function fetchText(
  url: string,
  { fetcher = fetch, stallMs = STALL_MS }: Pick<DownloadOptions, 'fetcher' | 'stallMs'>,
): Promise<string> {
  try {
    const response = await fetcher(url, { cache: 'no-cache', signal: AbortSignal.timeout(stallMs) })
    if (response.ok) return await response.text()
    throw new Error(`the server answered ${response.status}`)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HycoraError('download-failed', `${url} did not come: ${reason}`, { cause })
  }
}

function parseJson(url: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HycoraError('format-invalid', `${url} is not JSON`, { cause })
  }
}
