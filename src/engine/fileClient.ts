import { HycoraError, asHycoraError } from '../core/errors.ts'
import type { FileRequestKind, FileRequests, FromFileWorker, ToFileWorker } from './fileProtocol.ts'

/** What of a Worker the client uses. */
export interface FileWorkerPort {
  postMessage(message: ToFileWorker): void
  addEventListener(type: 'message', listener: (event: MessageEvent<FromFileWorker>) => void): void
  addEventListener(type: 'messageerror', listener: () => void): void
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void
  terminate(): void
}

const [TO_READ_MS, TO_WRITE_MS] = [30_000, 120_000]

/** When the time is up: no honest file takes longer to read, on slow machines either, and the largest packs to write. */
const LIMITS_MS: Readonly<Record<FileRequestKind, number>> = {
  arrive: TO_READ_MS,
  lines: TO_READ_MS,
  follow: TO_READ_MS,
  picture: TO_READ_MS,
  share: TO_WRITE_MS,
  blend: TO_WRITE_MS,
  kit: TO_WRITE_MS,
}

/**
 * Asks a fresh worker one question; it is ended with the answer, when the time is up, or when the asker stops.
 *
 * @throws HycoraError whatever the worker threw, its code kept; `format-invalid` when the time is up; `cancelled`;
 * `usage` where the question cannot be sent, `out-of-memory` where the answer cannot be read.
 */
export function askFileWorker<K extends FileRequestKind>(
  open: () => FileWorkerPort,
  kind: K,
  params: FileRequests[K]['params'],
  options: {
    readonly limitMs?: number
    readonly onYield?: (value: FileRequests[K]['yields']) => void
    readonly signal?: AbortSignal
  } = {},
): Promise<FileRequests[K]['returns']> {
  const { limitMs = LIMITS_MS[kind], onYield, signal } = options
  return new Promise((resolve, reject) => {
    const worker = open()
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      worker.terminate()
      settle()
    }
    const fail = (error: HycoraError): void => end(() => reject(error))
    const timer = setTimeout(
      () => fail(new HycoraError('format-invalid', `reading took longer than ${limitMs / 1000} s`)),
      limitMs,
    )
    const stop = (): void => fail(new HycoraError('cancelled', 'the reading was stopped'))
    if (signal?.aborted) stop()
    signal?.addEventListener('abort', stop, { once: true })
    worker.addEventListener('message', ({ data }) => {
      // The protocol's types are tied to `kind`; the wire carries `unknown`, typed again here, once.
      if (data.kind === 'yield') onYield?.(data.value as FileRequests[K]['yields'])
      else if (data.kind === 'return') end(() => resolve(data.value as FileRequests[K]['returns']))
      else fail(new HycoraError(data.code, data.message))
    })
    worker.addEventListener('messageerror', () => {
      fail(new HycoraError('out-of-memory', 'what was read did not come across'))
    })
    worker.addEventListener('error', (event) => {
      fail(new HycoraError('format-invalid', `reading failed: ${event.message || 'its script did not load'}`))
    })
    try {
      worker.postMessage({ kind, params } as ToFileWorker)
    } catch (thrown) {
      fail(asHycoraError(thrown, 'usage'))
    }
  })
}
