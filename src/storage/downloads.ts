import { check, HycoraError } from '../core/errors.ts'
import { sha256, storageError } from './database.ts'

/** A file as it is served: exactly these bytes, or it is not used. */
export interface ServedFile {
  /** Relative to the folder it is fetched from. */
  readonly path: string
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/** A file of a manifest; a large one comes in `pieces`, which are fetched one by one and joined in their order. */
export interface ManifestFile extends ServedFile {
  readonly pieces?: readonly ServedFile[]
}

export interface DownloadProgress {
  readonly doneBytes: number
  readonly totalBytes: number
  /** Bytes of `doneBytes` that came over the network, not from this device. */
  readonly fetchedBytes: number
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
}

/** How often a file is asked for before giving up. */
const ATTEMPTS = 2
const CACHE = 'hycora-files'

/**
 * The files of a manifest, from this device where they lie whole, else from the server. A file enters the cache only
 * when its size and SHA-256 are right, is checked again each time it leaves it, and is fetched by one tab at a time.
 * What was kept before a failure or a stop stays kept.
 *
 * @yields progress, at least once for every piece.
 * @throws HycoraError `download-failed` when a file does not come whole after a second attempt; `cancelled`.
 */
export async function* downloadFiles(
  files: readonly ManifestFile[],
  options: DownloadOptions,
): AsyncGenerator<DownloadProgress, DownloadResult> {
  const cache = await caches.open(options.cacheName ?? CACHE)
  const result = new Map<string, Blob>()
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let doneBytes = 0
  let fetchedBytes = 0
  let kept = true

  for (const file of files) {
    const parts: Blob[] = []
    for (const piece of file.pieces ?? [file]) {
      const arrival = fetchPiece(piece, cache, options)
      let step = await arrival.next()
      while (!step.done) {
        yield { doneBytes: doneBytes + step.value, totalBytes, fetchedBytes: fetchedBytes + step.value }
        step = await arrival.next()
      }
      doneBytes += piece.bytes
      if (step.value.fetched) fetchedBytes += piece.bytes
      kept &&= step.value.kept
      parts.push(step.value.content)
      yield { doneBytes, totalBytes, fetchedBytes }
    }
    const whole = parts.length === 1 && parts[0] ? parts[0] : new Blob(parts)
    check(
      whole.size === file.bytes,
      'download-failed',
      () => `${file.path} has ${whole.size} bytes, expected ${file.bytes}`,
    )
    result.set(file.path, whole)
  }
  return { files: result, kept }
}

interface Arrival {
  readonly content: Blob
  readonly fetched: boolean
  readonly kept: boolean
}

/** One piece; yields the bytes that have come so far. */
async function* fetchPiece(
  piece: ServedFile,
  cache: Cache,
  options: DownloadOptions,
): AsyncGenerator<number, Arrival> {
  const release = await lockFile(piece.sha256, options.signal)
  try {
    const present = await readKept(piece, cache)
    if (present) return { content: present, fetched: false, kept: true }
    let failure = ''
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const chunks: Uint8Array<ArrayBuffer>[] = []
      failure = yield* receive(piece, options, chunks)
      const content = new Blob(chunks)
      failure ||= await damage(piece, content)
      if (!failure) return { content, fetched: true, kept: await keep(piece, content, cache) }
    }
    throw new HycoraError('download-failed', failure)
  } finally {
    release()
  }
}

/** Reads a response into `chunks`; returns what went wrong in the transfer, or nothing. */
async function* receive(
  piece: ServedFile,
  { folder, signal, fetcher = fetch }: DownloadOptions,
  chunks: Uint8Array<ArrayBuffer>[],
): AsyncGenerator<number, string> {
  let received = 0
  try {
    const init: RequestInit = { cache: 'no-store', credentials: 'omit' }
    const response = await fetcher(folder + piece.path, signal ? { ...init, signal } : init)
    if (!response.ok || !response.body)
      return `${piece.path}: the server answered ${response.status}, expected 200`
    const reader = response.body.getReader()
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      chunks.push(part.value)
      received += part.value.byteLength
      if (received > piece.bytes) {
        await reader.cancel()
        return `${piece.path} is longer than the ${piece.bytes} bytes expected`
      }
      yield received
    }
    return ''
  } catch (thrown) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the download was stopped', { cause: thrown })
    return `${piece.path} stopped at ${received} of ${piece.bytes} bytes: ${thrown instanceof Error ? thrown.message : String(thrown)}`
  }
}

/** What is wrong with a file's content, or nothing. */
async function damage(piece: ServedFile, content: Blob): Promise<string> {
  if (content.size !== piece.bytes)
    return `${piece.path} came with ${content.size} bytes, expected ${piece.bytes}`
  const digest = await sha256(content)
  return digest === piece.sha256 ? '' : `${piece.path} has SHA-256 ${digest}, expected ${piece.sha256}`
}

/** Files are kept by content, so a new version under an old name is a new file. */
function cacheKey(piece: ServedFile): string {
  return new URL(`/hycora-file/${piece.sha256}`, location.origin).href
}

async function readKept(piece: ServedFile, cache: Cache): Promise<Blob | undefined> {
  const response = await cache.match(cacheKey(piece))
  if (!response) return undefined
  const content = await response.blob()
  if (!(await damage(piece, content))) return content
  await cache.delete(cacheKey(piece))
  return undefined
}

async function keep(piece: ServedFile, content: Blob, cache: Cache): Promise<boolean> {
  try {
    await cache.put(cacheKey(piece), new Response(content))
    return true
  } catch (thrown) {
    if (storageError(thrown).code === 'storage-full') return false
    throw thrown
  }
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

/** Removes kept files that none of the manifests names; returns how many. */
export async function removeUnlistedFiles(
  files: readonly ManifestFile[],
  cacheName = CACHE,
): Promise<number> {
  const listed = new Set(files.flatMap((file) => (file.pieces ?? [file]).map(cacheKey)))
  const cache = await caches.open(cacheName)
  const unlisted = (await cache.keys()).filter(
    ({ url }) => new URL(url).pathname.startsWith('/hycora-file/') && !listed.has(url),
  )
  await Promise.all(unlisted.map((request) => cache.delete(request)))
  return unlisted.length
}

/**
 * A small JSON file of this site, fresh where the server answers, else as it last was.
 *
 * @throws HycoraError `download-failed` when it neither comes nor lies here; `format-invalid` when it is not JSON.
 */
export async function fetchJson(url: string, cacheName = CACHE): Promise<unknown> {
  const cache = 'caches' in globalThis ? await caches.open(cacheName) : undefined
  const response = await freshOrKept(url, cache)
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new HycoraError('format-invalid', `${url} is not JSON`, { cause })
  }
}

async function freshOrKept(url: string, cache: Cache | undefined): Promise<Response> {
  let reason: string
  try {
    const response = await fetch(url, { cache: 'no-cache' })
    if (response.ok) {
      // Keeping it is a convenience for a later visit without a network; a full disk must not spoil this one.
      await cache?.put(url, response.clone()).catch(() => undefined)
      return response
    }
    reason = `the server answered ${response.status}`
  } catch (thrown) {
    reason = thrown instanceof Error ? thrown.message : String(thrown)
  }
  const kept = await cache?.match(url)
  if (kept) return kept
  throw new HycoraError('download-failed', `${url} did not come: ${reason}`)
}
