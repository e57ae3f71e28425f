import { HycoraError, asHycoraError } from '../core/errors.ts'
import type {
  BackboneInfo,
  DeviceState,
  EngineRequests,
  FromWorker,
  RequestKind,
  ToWorker,
} from './protocol.ts'

interface Pending {
  readonly onYield: (value: unknown) => void
  readonly onReturn: (value: unknown) => void
  readonly onThrow: (error: HycoraError) => void
}

/** Told of each change of the device's state, with the backbone that took the lost one's place, where one did. */
export type DeviceListener = (state: DeviceState, info: BackboneInfo | null) => void

/** The page's side of the engine: typed calls to the worker that owns the graphics device. */
export interface EngineClient {
  /**
   * Sends a request and resolves with its result; `onYield` is called with each piece that comes before.
   * Aborting `signal` asks the worker to stop at the next token or step; the promise still settles with what
   * the worker answers.
   *
   * @throws HycoraError whatever the worker threw, its code kept; `usage` where the request cannot be sent,
   * `out-of-memory` where it or the answer cannot be read.
   */
  request<K extends RequestKind>(
    kind: K,
    params: EngineRequests[K]['params'],
    options?: {
      readonly onYield?: (value: EngineRequests[K]['yields']) => void
      readonly signal?: AbortSignal
    },
  ): Promise<EngineRequests[K]['returns']>
  /** Calls back at every change of the device's state; returns how to stop listening. */
  onDeviceState(listener: DeviceListener): () => void
  /** Ends the worker; requests in flight fail with `cancelled`. */
  close(): void
}

/** What of a Worker the client uses. */
export interface WorkerPort {
  postMessage(message: ToWorker): void
  addEventListener(type: 'message', listener: (event: MessageEvent<FromWorker>) => void): void
  addEventListener(type: 'messageerror', listener: () => void): void
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void
  terminate(): void
}

/** Connects to an engine worker. */
export function connectEngine(worker: WorkerPort): EngineClient {
  const pending = new Map<number, Pending>()
  const deviceListeners = new Set<DeviceListener>()
  let nextId = 1

  const failAll = (error: HycoraError): void => {
    const waiting = [...pending.values()]
    pending.clear()
    for (const { onThrow } of waiting) onThrow(error)
  }

  worker.addEventListener('message', ({ data }) => {
    if (data.kind === 'device') {
      for (const listener of deviceListeners) listener(data.state, data.info)
    } else if (data.kind === 'unread') {
      failAll(new HycoraError('out-of-memory', 'the engine could not read what it was asked'))
    } else answer(pending, data)
  })
  worker.addEventListener('messageerror', () => {
    failAll(new HycoraError('out-of-memory', 'an answer of the engine could not be read'))
  })
  worker.addEventListener('error', ({ message }) => {
    const reason = message || 'its script did not load'
    failAll(new HycoraError('webgpu-unavailable', `the engine stopped: ${reason}`))
  })

  return {
    request(kind, params, { onYield, signal } = {}) {
      const id = nextId++
      return new Promise((resolve, reject) => {
        // The protocol's types are tied to `kind`; the wire carries `unknown`, typed again here, once.
        type Request = EngineRequests[typeof kind]
        pending.set(id, {
          onYield: (value) => onYield?.(value as Request['yields']),
          onReturn: (value) => resolve(value as Request['returns']),
          onThrow: reject,
        })
        try {
          worker.postMessage({ kind, id, params } as ToWorker)
        } catch (thrown) {
          pending.delete(id)
          reject(unsendable(kind, thrown))
          return
        }
        const cancel = (): void => worker.postMessage({ kind: 'cancel', id })
        if (signal?.aborted) cancel()
        else signal?.addEventListener('abort', cancel, { once: true })
      })
    },
    onDeviceState(listener) {
      deviceListeners.add(listener)
      return () => deviceListeners.delete(listener)
    },
    close() {
      worker.terminate()
      failAll(new HycoraError('cancelled', 'the engine was closed'))
    },
  }
}

/** Hands an answer, or a piece of one, to whoever asked. */
function answer(
  pending: Map<number, Pending>,
  data: Exclude<FromWorker, { readonly kind: 'device' | 'unread' }>,
): void {
  const entry = pending.get(data.id)
  if (!entry) return
  if (data.kind === 'yield') {
    entry.onYield(data.value)
    return
  }
  pending.delete(data.id)
  if (data.kind === 'return') entry.onReturn(data.value)
  else entry.onThrow(new HycoraError(data.code, data.message))
}

function unsendable(kind: string, thrown: unknown): HycoraError {
  const { message } = asHycoraError(thrown, 'usage')
  return new HycoraError('usage', `“${kind}” cannot be sent to the engine: ${message}`, { cause: thrown })
}
