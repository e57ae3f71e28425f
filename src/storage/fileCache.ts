import type { ChunkStore } from '../download/chunkStore.ts'
import { chunksOf, isProvenWhole, piecesOf, proofName } from '../download/servedFile.ts'
import type { ManifestFile, ServedFile } from '../download/servedFile.ts'
import { sha256 } from './database.ts'

/*
 * Downloaded files lie in the Cache API chunk by chunk, each under its own hash: half a file is what has come of it,
 * a whole one is all its chunks, and a new version under an old name shares what did not change.
 */

/** The cache of everything that the page fetches. */
export const FILE_CACHE = 'hycora-files'

const FOLDER = '/hycora-file/'

function keyOf(name: string): string {
  return new URL(FOLDER + name, location.origin).href
}

/** The cache of files; undefined where the browser lets this page keep none. */
export async function openFileCache(name = FILE_CACHE): Promise<Cache | undefined> {
  return 'caches' in globalThis ? caches.open(name).catch(() => undefined) : undefined
}

/** The cache as a place for chunks; undefined where the browser lets this page keep none. */
export async function openChunkStore(name = FILE_CACHE): Promise<ChunkStore | undefined> {
  const cache = await openFileCache(name)
  return cache && chunkStore(cache)
}

function chunkStore(cache: Cache): ChunkStore {
  return {
    async read(chunk) {
      try {
        const content = await (await cache.match(keyOf(chunk.name)))?.blob()
        if (!content) return undefined
        const isRight = chunk.sha256 === null || (await sha256(content)) === chunk.sha256
        if (content.size === chunk.bytes && isRight) return content
        await cache.delete(keyOf(chunk.name))
      } catch {
        // What cannot be read is fetched again, like what is damaged.
      }
      return undefined
    },
    async keep(chunk, content) {
      try {
        await cache.put(keyOf(chunk.name), new Response(content))
        const kept = await (await cache.match(keyOf(chunk.name)))?.blob()
        return kept?.size === chunk.bytes ? kept : undefined
      } catch {
        // Without room, or without leave, the chunk is used from memory.
        return undefined
      }
    },
    async remove(chunk) {
      await cache.delete(keyOf(chunk.name)).catch(() => false)
    },
    async readProof(file) {
      const kept = await cache.match(keyOf(proofName(file))).catch(() => undefined)
      const value: unknown = await kept?.json().catch(() => undefined)
      return Array.isArray(value) && value.every((hash) => typeof hash === 'string') ? value : undefined
    },
    async keepProof(file, hashes) {
      // Without it the whole is looked at again on the next visit.
      await cache.put(keyOf(proofName(file)), new Response(JSON.stringify(hashes))).catch(() => undefined)
    },
  }
}

/** How many bytes of these files lie on this device, by name alone: nothing is read. */
export async function keptBytes(files: readonly ManifestFile[], cacheName = FILE_CACHE): Promise<number> {
  const cache = await openFileCache(cacheName)
  const keys = new Set((await cache?.keys())?.map(({ url }) => url))
  return piecesOf(files)
    .flatMap(chunksOf)
    .reduce((sum, { name, bytes }) => sum + (keys.has(keyOf(name)) ? bytes : 0), 0)
}

/** Removes these files from this device, all but what the `others` share with them. */
export async function removeFiles(
  files: readonly ManifestFile[],
  others: readonly ManifestFile[],
  cacheName = FILE_CACHE,
): Promise<void> {
  const cache = await openFileCache(cacheName)
  const shared = keysOf(others)
  for (const key of keysOf(files)) if (!shared.has(key)) await cache?.delete(key)
}

/** Removes kept chunks that none of these files has; returns how many. */
export async function removeUnlistedFiles(
  files: readonly ManifestFile[],
  cacheName = FILE_CACHE,
): Promise<number> {
  const cache = await openFileCache(cacheName)
  if (!cache) return 0
  const listed = keysOf(files)
  const unlisted = (await cache.keys()).filter(
    ({ url }) => new URL(url).pathname.startsWith(FOLDER) && !listed.has(url),
  )
  await Promise.all(unlisted.map((request) => cache.delete(request)))
  return unlisted.length
}

function keysOf(files: readonly ManifestFile[]): ReadonlySet<string> {
  return new Set(piecesOf(files).flatMap(namesOf).map(keyOf))
}

/** What of a file may lie here. */
function namesOf(file: ServedFile): readonly string[] {
  const names = chunksOf(file).map(({ name }) => name)
  return isProvenWhole(file) ? [...names, proofName(file)] : names
}
