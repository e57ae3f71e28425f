import { HycoraError } from '../../src/core/errors.ts'
import { sha256 } from '../../src/storage/database.ts'
import { downloadFiles } from '../../src/download/downloads.ts'
import type { DownloadOptions } from '../../src/download/downloads.ts'
import { keptBytes, openChunkStore } from '../../src/storage/fileCache.ts'
import { lockFile } from '../../src/storage/fileLock.ts'
import type { ManifestFile } from '../../src/download/servedFile.ts'

/** How a download ended, as far as a test's page can say it. */
export type DownloadOutcome =
  | {
      readonly kind: 'whole'
      readonly hashes: readonly string[]
      readonly isKept: boolean
      readonly fetchedBytes: number
      readonly troubles: readonly string[]
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

/** What a test asks of the page. */
export interface DownloadPage {
  download(
    files: readonly ManifestFile[],
    options: Pick<DownloadOptions, 'stallMs' | 'pauseMs'>,
  ): Promise<DownloadOutcome>
  keptBytes(files: readonly ManifestFile[]): Promise<number>
  /** Overwrites everything that is kept with as many zeros. */
  damageKept(): Promise<void>
}

async function download(
  files: readonly ManifestFile[],
  options: Pick<DownloadOptions, 'stallMs' | 'pauseMs'>,
): Promise<DownloadOutcome> {
  const troubles: string[] = []
  let fetchedBytes = 0
  try {
    const store = await openChunkStore()
    const arrival = downloadFiles(files, { folder: '/', store, lock: lockFile, ...options })
    let step = await arrival.next()
    while (!step.done) {
      const { trouble } = step.value
      if (trouble !== null) troubles.push(trouble)
      ;({ fetchedBytes } = step.value)
      // Off line nobody listens.
      await fetch(`/seen?bytes=${step.value.doneBytes}`).catch(() => undefined)
      step = await arrival.next()
    }
    const hashes = await Promise.all([...step.value.files.values()].map(sha256))
    return { kind: 'whole', hashes, isKept: step.value.kept, fetchedBytes, troubles }
  } catch (thrown) {
    if (!(thrown instanceof HycoraError)) throw thrown
    return { kind: 'failed', code: thrown.code, message: thrown.message }
  }
}

async function damageKept(): Promise<void> {
  const cache = await caches.open('hycora-files')
  for (const key of await cache.keys()) {
    const content = await (await cache.match(key))?.blob()
    await cache.put(key, new Response(new Uint8Array(content?.size ?? 0)))
  }
}

const page: DownloadPage = { download, keptBytes, damageKept }
Object.assign(globalThis, { page })
