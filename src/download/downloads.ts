import { check } from '../core/errors.ts'
import type { ChunkStore } from './chunkStore.ts'
import { fetchMissing } from './fetchMissing.ts'
import type { FetchOptions } from './fetchMissing.ts'
import { FileAssembly } from './fileAssembly.ts'
import { contentName } from './servedFile.ts'
import type { ManifestFile } from './servedFile.ts'

export interface DownloadProgress {
  readonly doneBytes: number
  readonly totalBytes: number
  /** Bytes of `doneBytes` that came over the network, not from this device. */
  readonly fetchedBytes: number
  /** Why nothing comes at this moment, where it is going to be tried again. */
  readonly trouble: string | null
}

export interface DownloadResult {
  /** Path → content. */
  readonly files: ReadonlyMap<string, Blob>
  /** False when the browser had no room to keep something: it is used now and fetched again next time. */
  readonly kept: boolean
}

export interface DownloadOptions extends FetchOptions {
  /** Where what comes is kept; nowhere without it. */
  readonly store?: ChunkStore | undefined
  /** Takes a name that one tab has at a time, and says how to let go of it. */
  readonly lock?: (name: string, signal: AbortSignal | undefined) => Promise<() => void>
}

/**
 * The files of a manifest, from this device where they lie here, else from the server. What comes is kept chunk by chunk,
 * and checked before it is used and each time it leaves the store; one tab at a time fetches a file. After a failure or
 * a stop, the next call asks only for what is missing.
 *
 * @yields progress, at least once for every piece.
 * @throws HycoraError `download-failed` when the server cannot be reached or breaks off; `download-mismatch` when it
 * has not what the manifest says; `cancelled`.
 */
export async function* downloadFiles(
  files: readonly ManifestFile[],
  options: DownloadOptions,
): AsyncGenerator<DownloadProgress, DownloadResult> {
  const { store, lock = noLock } = options
  const result = new Map<string, Blob>()
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0)
  let doneBytes = 0
  let fetchedBytes = 0
  let kept = true

  for (const file of files) {
    const parts: Blob[] = []
    for (const piece of file.pieces ?? [file]) {
      const assembly = new FileAssembly(piece, store)
      let fromDevice = 0
      const report = (trouble: string | null): DownloadProgress => ({
        doneBytes: doneBytes + assembly.doneBytes,
        totalBytes,
        fetchedBytes: fetchedBytes + assembly.doneBytes - fromDevice,
        trouble,
      })
      const release = await lock(contentName(piece), options.signal)
      try {
        for await (const present of assembly.readKept()) {
          fromDevice = present
          yield report(null)
        }
        for await (const trouble of fetchMissing(assembly, options)) yield report(trouble)
      } finally {
        release()
      }
      doneBytes += piece.bytes
      fetchedBytes += piece.bytes - fromDevice
      kept &&= assembly.isKept
      parts.push(assembly.content())
    }
    const whole = parts.length === 1 && parts[0] ? parts[0] : new Blob(parts)
    check(
      whole.size === file.bytes,
      'download-mismatch',
      () => `${file.path} has ${whole.size} bytes, expected ${file.bytes}`,
    )
    result.set(file.path, whole)
  }
  return { files: result, kept }
}

function noLock(): Promise<() => void> {
  return Promise.resolve(() => undefined)
}
