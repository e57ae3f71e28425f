import { sha256 } from './database.ts'
import { chunksOf, piecesOf } from './servedFile.ts'
import type { Chunk, ManifestFile } from './servedFile.ts'

/*
 * Downloaded files lie in the Cache API chunk by chunk, each under its own hash: half a file is what has come of it,
 * a whole one is all its chunks, and a new version under an old name shares what did not change.
 */

/** The cache of everything that this site serves. */
export const FILE_CACHE = 'hycora-files'

const FOLDER = '/hycora-file/'

function keyOf(chunk: Chunk): string {
  return new URL(FOLDER + chunk.sha256, location.origin).href
}

/** The cache of files; undefined where the browser lets this page keep none. */
export async function openFileCache(name = FILE_CACHE): Promise<Cache | undefined> {
  return 'caches' in globalThis ? caches.open(name).catch(() => undefined) : undefined
}

/** A kept chunk that is still whole and right; a damaged one is removed. */
export async function readChunk(cache: Cache, chunk: Chunk): Promise<Blob | undefined> {
  try {
    const response = await cache.match(keyOf(chunk))
    if (!response) return undefined
    const content = await response.blob()
    if (content.size === chunk.bytes && (await sha256(content)) === chunk.sha256) return content
    await cache.delete(keyOf(chunk))
  } catch {
    // What cannot be read is fetched again, like what is damaged.
  }
  return undefined
}

/**
 * Keeps a chunk.
 *
 * @returns the chunk as it lies on the disk, so that it needs no memory; undefined where the browser did not keep it.
 */
export async function keepChunk(cache: Cache, chunk: Chunk, content: Blob): Promise<Blob | undefined> {
  try {
    await cache.put(keyOf(chunk), new Response(content))
    const kept = await (await cache.match(keyOf(chunk)))?.blob()
    return kept?.size === chunk.bytes ? kept : undefined
  } catch {
    // Without room, or without leave, the chunk is used from memory.
    return undefined
  }
}

/** How many bytes of these files lie on this device, by name alone: nothing is read. */
export async function keptBytes(files: readonly ManifestFile[], cacheName = FILE_CACHE): Promise<number> {
  const cache = await openFileCache(cacheName)
  const keys = new Set((await cache?.keys())?.map(({ url }) => url))
  return piecesOf(files)
    .flatMap(chunksOf)
    .reduce((sum, chunk) => sum + (keys.has(keyOf(chunk)) ? chunk.bytes : 0), 0)
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
  return new Set(piecesOf(files).flatMap(chunksOf).map(keyOf))
}
