import { asHycoraError, check, HycoraError } from '../core/errors.ts'
import { pause, waitAskedFor } from '../download/patience.ts'
import { reasonOf } from '../download/reasonOf.ts'

/** How often a busy hub is asked again, and the longest that is waited on its word. */
const ATTEMPTS = 3
const LONGEST_WAIT_MS = 60_000
const PAUSE_MS = 1000
const STALL_MS = 20_000
/** More than any page of a listing has. */
const MOST_BYTES = 16 * 2 ** 20
/** Pages are turned no more often: a listing may lead back to itself. */
const MOST_PAGES = 256

export type Fetcher = typeof fetch

export interface PoliteOptions {
  readonly hubUrl: string
  /** What a refusal by a status means. */
  readonly refuse: (status: number) => HycoraError
  readonly fetcher?: Fetcher | undefined
  readonly signal?: AbortSignal | undefined
  readonly pauseMs?: number | undefined
  readonly stallMs?: number | undefined
}

/**
 * Asks a hub as it wishes to be asked: one that is busy, or breaks off, is asked again, at the time that it names; one that
 * says nothing, or has no end, is given up. It alone is asked: what it names elsewhere would be given the visitor's token.
 */
export function politeFetch({
  hubUrl,
  refuse,
  fetcher = fetch,
  signal,
  pauseMs = PAUSE_MS,
  stallMs = STALL_MS,
}: PoliteOptions): Fetcher {
  let pages = 0
  const ask = async (input: RequestInfo | URL, init: RequestInit | undefined): Promise<Answer> => {
    const stall = AbortSignal.timeout(stallMs)
    const stop = signal ? AbortSignal.any([signal, stall]) : stall
    try {
      const response = await fetcher(input, { ...init, credentials: 'omit', signal: stop })
      return { response, body: response.ok ? await readBody(response, hubUrl) : null, trouble: '' }
    } catch (thrown) {
      if (signal?.aborted || thrown instanceof HycoraError) throw thrown
      const trouble = stall.aborted ? `nothing came for ${stallMs / 1000} s` : reasonOf(thrown)
      return { response: null, body: null, trouble }
    }
  }
  return async (input, init) => {
    checkOrigin(input, hubUrl)
    check(++pages <= MOST_PAGES, 'format-invalid', () => `${hubUrl} lists files without an end`)
    for (let attempt = 1; ; attempt++) {
      const { response, body, trouble } = await ask(input, init)
      if (response && body) return new Response(body, { status: response.status, headers: linkOf(response) })
      const isBusy = !response || response.status === 429 || response.status >= 500
      const waitMs =
        waitAskedFor(response?.headers.get('Retry-After') ?? null) || pauseMs * 2 ** (attempt - 1)
      if (!isBusy || attempt >= ATTEMPTS || waitMs > LONGEST_WAIT_MS) {
        if (response) throw refuse(response.status)
        const advice = 'look at its address and at your connection'
        throw new HycoraError('download-failed', `${hubUrl} cannot be reached: ${trouble}; ${advice}`)
      }
      await pause(waitMs, signal)
      signal?.throwIfAborted()
    }
  }
}

/** What came of one request: `body` where it was answered well, `trouble` where it was not answered. */
interface Answer {
  readonly response: Response | null
  readonly body: Uint8Array<ArrayBuffer> | null
  readonly trouble: string
}

function checkOrigin(input: RequestInfo | URL, hubUrl: string): void {
  const { origin } = new URL(input instanceof Request ? input.url : input)
  check(
    origin === new URL(hubUrl).origin,
    'format-invalid',
    () => `${hubUrl} sends on to ${origin} for its list, which is not asked`,
  )
}

/** The header that leads to the next page, and no other: the body is no longer coded. */
function linkOf({ headers }: Response): Readonly<Record<string, string>> {
  const link = headers.get('Link')
  return link === null ? {} : { Link: link }
}

async function readBody({ body }: Response, hubUrl: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  const reader = body?.getReader()
  for (let step = await reader?.read(); step && !step.done; step = await reader?.read()) {
    bytes += step.value.byteLength
    check(bytes <= MOST_BYTES, 'format-invalid', () => `${hubUrl} sends a list without an end`)
    parts.push(step.value)
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

/** Any thrown value, where a hub's answer could not be read as what it should be. */
export function asUnreadable(thrown: unknown, hubUrl: string): HycoraError {
  if (thrown instanceof HycoraError) return thrown
  const { message } = asHycoraError(thrown, 'format-invalid')
  return new HycoraError('format-invalid', `${hubUrl} does not answer as a hub of models does: ${message}`, {
    cause: thrown,
  })
}
