import { HycoraError } from '../core/errors.ts'
import { isOffline } from '../core/offline.ts'

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
  /** What it answered, where that is what went wrong. */
  readonly status?: number
}

/** How often in a row an attempt may bring nothing. */
const ATTEMPTS = 3
/** Nobody is kept waiting longer on a server's word. */
const LONGEST_WAIT_MS = 120_000

/** How far what is asked for has come. */
export interface Standing {
  readonly checkedBytes: number
  readonly doneBytes: number
}

/** When to ask again: whoever gets further may go on asking; a slow or restless connection is no reason to give up. */
export class Patience {
  readonly #pauseMs: number
  readonly #fruitless = { connection: 0, content: 0 }
  #furthest: number

  constructor(pauseMs: number, doneBytes: number) {
    this.#pauseMs = pauseMs
    this.#furthest = doneBytes
  }

  /**
   * Takes a fault of an attempt that began with so many checked bytes.
   *
   * @returns milliseconds to wait before the next one.
   * @throws HycoraError `download-failed`, `download-mismatch` where there is no use in one.
   */
  after(fault: Fault, begunWith: number, { checkedBytes, doneBytes }: Standing): number {
    const { kind, waitMs = 0 } = fault
    if (checkedBytes > begunWith) this.#fruitless.content = 0
    if (doneBytes > this.#furthest) this.#fruitless.connection = 0
    // What was given up has to come again before it is further than before.
    this.#furthest = kind === 'content' ? doneBytes : Math.max(this.#furthest, doneBytes)
    const count = ++this.#fruitless[kind === 'content' ? 'content' : 'connection']
    const isHopeless = kind === 'missing' || waitMs > LONGEST_WAIT_MS || isOffline()
    if (isHopeless || count >= ATTEMPTS) throw failure(fault)
    return Math.max(waitMs, this.#pauseMs * 2 ** (count - 1))
  }
}

function failure(fault: Fault): HycoraError {
  const { kind, message, waitMs = 0 } = fault
  const options = { cause: fault }
  if (kind === 'content' || kind === 'missing') return new HycoraError('download-mismatch', message, options)
  if (isOffline()) return new HycoraError('download-failed', `${message}; this device is offline`, options)
  const minutes = Math.ceil(waitMs / 60_000)
  const isLong = waitMs > LONGEST_WAIT_MS
  const told = isLong ? `${message}; it asks to be left alone for ${minutes} minutes` : message
  return new HycoraError('download-failed', told, options)
}

/** What a server answered to a download that failed of it. */
export function statusOf({ cause }: HycoraError): number | undefined {
  const isFault = typeof cause === 'object' && cause !== null && 'status' in cause
  return isFault && typeof cause.status === 'number' ? cause.status : undefined
}

/** Milliseconds of a `Retry-After` header, which names seconds or a date; 0 where there is none. */
export function waitAskedFor(value: string | null): number {
  if (value === null) return 0
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0
}

/** Waits, or until it is told to stop. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
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
