import { HycoraError } from '../core/errors.ts'
import type { FileAssembly, ByteSpan } from './fileAssembly.ts'

/** How a request went wrong, and what may help. */
export interface Fault {
  /**
   * `connection`: ask for the rest; `range`: ask for all of it; `content`: other bytes than the list says, ask for
   * them anew; `missing`: the server will not give the file.
   */
  readonly kind: 'connection' | 'range' | 'content' | 'missing'
  readonly message: string
  /** How long the server asks to be left alone. */
  readonly waitMs?: number
}

export interface TransferOptions {
  readonly url: string
  readonly fetcher: (url: string, init: RequestInit) => Promise<Response>
  /** False asks for the whole file where a server has answered a range wrongly. */
  readonly canRange: boolean
  /** How long nothing may come. */
  readonly stallMs: number
  /** As `DownloadOptions` has it. */
  readonly isPinned: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks once for what is missing of a file and takes what comes.
 *
 * @yields after every part that came.
 * @returns what went wrong, or nothing.
 * @throws HycoraError `cancelled`.
 */
export async function* transfer(
  assembly: FileAssembly,
  { url, fetcher, canRange, stallMs, isPinned, signal }: TransferOptions,
): AsyncGenerator<void, Fault | null> {
  const { file, missing } = assembly
  const span = canRange ? missing : { from: 0, to: file.bytes }
  const stall = watchForStall(stallMs, signal)
  let position = span.from
  try {
    const response = await stall.during(
      fetcher(url, {
        cache: 'no-store',
        credentials: 'omit',
        headers: rangeHeaders(assembly, span, isPinned),
        signal: stall.signal,
      }),
    )
    const offer = readOffer(response, assembly, span, isPinned)
    if ('kind' in offer) return offer
    position = offer.from
    assembly.seek(offer.from, isPinned ? '' : versionOf(response))
    const reader = offer.body.getReader()
    while (position < offer.to) {
      signal?.throwIfAborted()
      const { value, done } = await stall.during(reader.read())
      if (done) return broken(assembly, position, 'the server closed the connection')
      // What comes behind the end is not the file's.
      const part = value.subarray(0, offer.to - position)
      const damage = await assembly.write(part)
      if (damage) return { kind: 'content', message: damage }
      position += part.byteLength
      yield
    }
    return null
  } catch (thrown) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the download was stopped', { cause: thrown })
    if (stall.isOver()) return broken(assembly, position, `nothing came for ${stallMs / 1000} s`)
    return broken(assembly, position, thrown instanceof Error ? thrown.message : String(thrown))
  } finally {
    stall.close()
  }
}

function rangeHeaders(
  assembly: FileAssembly,
  { from, to }: ByteSpan,
  isPinned: boolean,
): Record<string, string> {
  const { expectedVersion, file } = assembly
  if (from === 0 && to === file.bytes) return {}
  const range = { Range: `bytes=${from}-${to - 1}` }
  // A weak mark must not be sent (RFC 9110, 13.1.5); the answer's is compared instead.
  const isStrong = !isPinned && expectedVersion.startsWith('"')
  return isStrong ? { ...range, 'If-Range': expectedVersion } : range
}

function versionOf({ headers }: Response): string {
  return headers.get('ETag') ?? headers.get('Last-Modified') ?? ''
}

/** What a response brings, from where to where; or why it is not taken. */
function readOffer(
  response: Response,
  assembly: FileAssembly,
  span: ByteSpan,
  isPinned: boolean,
): (ByteSpan & { readonly body: ReadableStream<Uint8Array> }) | Fault {
  const { status, headers, body } = response
  const { path, bytes } = assembly.file
  const isRange = span.from > 0 || span.to < bytes
  if (status === 200 && body) {
    // A coded body's length is not the file's.
    const length = headers.get('Content-Encoding') ? null : headers.get('Content-Length')
    if (length !== null && Number(length) !== bytes) {
      return { kind: 'content', message: `${path} has ${length} bytes on the server, expected ${bytes}` }
    }
    return { from: 0, to: bytes, body }
  }
  if (status === 206 && body && isRange) {
    const range = headers.get('Content-Range') ?? 'none'
    const expected = `bytes ${span.from}-${span.to - 1}/${bytes}`
    // Servers of other origins may not let it be seen; the hash of the whole tells then.
    if (range !== expected && !(isPinned && range === 'none')) {
      return { kind: 'range', message: `${path} came with Content-Range ${range}, expected ${expected}` }
    }
    const { expectedVersion } = assembly
    if (expectedVersion && versionOf(response) !== expectedVersion) {
      assembly.dropUnchecked()
      return { kind: 'connection', message: `${path} was changed on the server while it came` }
    }
    return { ...span, body }
  }
  const message = `${path}: the server answered ${status}, expected ${isRange ? 206 : 200}`
  if (status === 416 || status === 206) return { kind: 'range', message }
  const isRefused = status >= 400 && status < 500 && status !== 408 && status !== 429
  const waitMs = waitAskedFor(headers.get('Retry-After'))
  return { kind: isRefused ? 'missing' : 'connection', message, ...(waitMs > 0 && { waitMs }) }
}

/** Milliseconds of a `Retry-After` header, which names seconds or a date; 0 where there is none. */
function waitAskedFor(value: string | null): number {
  if (value === null) return 0
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0
}

function broken({ file }: FileAssembly, position: number, reason: string): Fault {
  return {
    kind: 'connection',
    message: `${file.path} stopped at ${position} of ${file.bytes} bytes: ${reason}`,
  }
}

/** Aborts a request when nothing comes of it for a while, when the caller stops, or when it is closed. */
function watchForStall(stallMs: number, stop: AbortSignal | undefined) {
  const controller = new AbortController()
  let isOver = false
  return {
    signal: stop ? AbortSignal.any([stop, controller.signal]) : controller.signal,
    isOver: () => isOver,
    close: () => controller.abort(),
    async during<T>(work: Promise<T>): Promise<T> {
      const timer = setTimeout(() => {
        isOver = true
        controller.abort()
      }, stallMs)
      try {
        return await work
      } finally {
        clearTimeout(timer)
      }
    },
  }
}
