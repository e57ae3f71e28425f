import { HycoraError } from '../core/errors.ts'

/** Waits until no other tab fetches a file of this name; resolves with how to let go. */
export function lockFile(name: string, signal: AbortSignal | undefined): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hold = (): Promise<void> => new Promise((release) => resolve(release))
    const lock = navigator.locks.request(`hycora-file:${name}`, signal ? { signal } : {}, hold)
    lock.catch((cause: unknown) =>
      reject(new HycoraError('cancelled', 'the download was stopped', { cause })),
    )
  })
}
