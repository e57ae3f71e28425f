/** How often a busy hub is asked again, and the longest that is waited on its word. */
const ATTEMPTS = 3
const LONGEST_WAIT_MS = 60_000
const PAUSE_MS = 1000
const STALL_MS = 20_000

export type Fetcher = typeof fetch

/**
 * Asks a hub as it wishes to be asked: one that is busy is left alone for as long as it says, and asked again; one that
 * says nothing is given up.
 */
export function politeFetch(fetcher: Fetcher, signal: AbortSignal | undefined, pauseMs = PAUSE_MS): Fetcher {
  return async (input, init) => {
    for (let attempt = 1; ; attempt++) {
      const stall = AbortSignal.timeout(STALL_MS)
      const stop = signal ? AbortSignal.any([signal, stall]) : stall
      const response = await fetcher(input, { ...init, credentials: 'omit', signal: stop })
      const isBusy = response.status === 429 || response.status >= 500
      const waitMs = Number(response.headers.get('Retry-After') ?? 0) * 1000 || pauseMs * 2 ** (attempt - 1)
      if (!isBusy || attempt >= ATTEMPTS || waitMs > LONGEST_WAIT_MS) return response
      await new Promise((resolve) => setTimeout(resolve, waitMs))
      signal?.throwIfAborted()
    }
  }
}
