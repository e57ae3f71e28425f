import { HycoraError } from '../core/errors.ts'
import { isOffline } from '../core/offline.ts'
import { openFileCache } from './fileCache.ts'

/** How a small file is asked for. */
export interface JsonOptions {
  readonly cacheName?: string
  readonly fetcher?: (url: string, init: RequestInit) => Promise<Response>
  /** How long nothing may come; by default shorter where the file lies here. */
  readonly stallMs?: number
}

const STALL_MS = 20_000
/** A network that is there and lets nothing through must not hold up a page that has all it needs. */
const KEPT_STALL_MS = 2000

/**
 * A small JSON file of this site, fresh where it comes whole, else as it last was; without a network nobody is asked for it.
 *
 * @throws HycoraError `download-failed` when it neither comes nor lies here; `format-invalid` when it is not JSON.
 */
export async function fetchJson(url: string, options: JsonOptions = {}): Promise<unknown> {
  const cache = await openFileCache(options.cacheName)
  const kept = await cache?.match(url)
  if (kept && isOffline()) return parseJson(url, await kept.text())
  const { fetcher = fetch, stallMs = kept ? KEPT_STALL_MS : STALL_MS } = options
  try {
    const text = await fetchText(url, fetcher, stallMs)
    const json = parseJson(url, text)
    // Keeping it is a convenience for a later visit without a network; a full disk must not spoil this one.
    await cache?.put(url, new Response(text)).catch(() => undefined)
    return json
  } catch (thrown) {
    if (!kept) throw thrown
    return parseJson(url, await kept.text())
  }
}

async function fetchText(
  url: string,
  fetcher: NonNullable<JsonOptions['fetcher']>,
  stallMs: number,
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
