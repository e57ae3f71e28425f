import { HycoraError } from '../core/errors.ts'
import { reasonOf } from './reasonOf.ts'
import { waitAskedFor } from './patience.ts'
import type { Fault } from './patience.ts'
import type { ByteSpan, SpanWriter } from './spanWriter.ts'

export interface TransferOptions {
  readonly url: string
  readonly fetcher: (url: string, init: RequestInit) => Promise<Response>
  /**
   * `whole`: all of the file, where a server has answered a range wrongly; `missing`: what is missing of the span, or the
   * whole where the server gives no parts; `part`: the same, and the whole is none.
   */
  readonly ask: 'whole' | 'missing' | 'part'
  /** How long nothing may come. */
  readonly stallMs: number
  /** As `DownloadOptions` has it. */
  readonly isPinned: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks once for what is missing of a span and takes what comes.
 *
 * @yields after every run of bytes that came, whether it came as a part of the file.
 * @returns what went wrong, or nothing.
 * @throws HycoraError `cancelled`.
 */
export async function* transfer(
  writer: SpanWriter,
  { url, fetcher, ask, stallMs, isPinned, signal }: TransferOptions,
): AsyncGenerator<boolean, Fault | null> {
  const { file, missing } = writer
  const span = ask === 'whole' ? { from: 0, to: file.bytes } : missing
  const stall = watchForStall(stallMs, signal)
  let position = span.from
  try {
    const response = await stall.during(
      fetcher(url, {
        cache: 'no-store',
        credentials: 'omit',
        headers: rangeHeaders(writer, span, isPinned),
        signal: stall.signal,
      }),
    )
    const offer = readOffer(response, writer, span, isPinned)
    if ('kind' in offer) return offer
    const isPart = response.status === 206
    if (ask === 'part' && !isPart)
      return { kind: 'range', message: `${file.path}: the server gives no parts` }
    position = offer.from
    writer.seek(offer.from, isPinned ? '' : versionOf(response))
    const reader = offer.body.getReader()
    while (position < offer.to) {
      signal?.throwIfAborted()
      const { value, done } = await stall.during(reader.read())
      if (done) return broken(writer, position, 'the server closed the connection')
      // What comes behind the end is not the file's.
      const part = value.subarray(0, offer.to - position)
      const damage = await writer.write(part)
      if (damage) return { kind: 'content', message: damage }
      position += part.byteLength
      yield isPart
    }
    return null
  } catch (thrown) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the download was stopped', { cause: thrown })
    // Such as a store without room.
    if (thrown instanceof HycoraError) throw thrown
    if (stall.isOver()) return broken(writer, position, `nothing came for ${stallMs / 1000} s`)
    return broken(writer, position, reasonOf(thrown))
  } finally {
    stall.close()
  }
}

function rangeHeaders(writer: SpanWriter, { from, to }: ByteSpan, isPinned: boolean): Record<string, string> {
  const { expectedVersion, file } = writer
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
  writer: SpanWriter,
  span: ByteSpan,
  isPinned: boolean,
): (ByteSpan & { readonly body: ReadableStream<Uint8Array> }) | Fault {
  const { status, headers, body } = response
  const { path, bytes } = writer.file
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
    const { expectedVersion } = writer
    if (expectedVersion && versionOf(response) !== expectedVersion) {
      writer.dropUnchecked()
      return { kind: 'connection', message: `${path} was changed on the server while it came` }
    }
    return { ...span, body }
  }
  const message = `${path}: the server answered ${status}, expected ${isRange ? 206 : 200}`
  if (status === 416 || status === 206) return { kind: 'range', message, status }
  // A hub sends on to an address that holds for a while: it is asked for another one.
  const isOver = response.redirected && (status === 401 || status === 403)
  const isRefused = status >= 400 && status < 500 && status !== 408 && status !== 429 && !isOver
  const waitMs = waitAskedFor(headers.get('Retry-After'))
  return { kind: isRefused ? 'missing' : 'connection', message, status, ...(waitMs > 0 && { waitMs }) }
}

function broken({ file }: SpanWriter, position: number, reason: string): Fault {
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
