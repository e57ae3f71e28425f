// Scope: live. The files of the backbones: how they come, how much of each lies on this device, and its release.
import { create } from 'zustand'

import type { DownloadOptions, DownloadProgress, DownloadResult } from '../../../src/download/downloads.ts'
import { PACK_INDEX, parsePackIndex } from '../../../src/download/packIndex.ts'
import type { ListedPack } from '../../../src/download/packIndex.ts'
import type { ManifestFile } from '../../../src/download/servedFile.ts'
import type { PackFile } from '../../../src/formats/packFacts.ts'
import { lockFile } from '../../../src/storage/fileLock.ts'
import { keptBytes, openChunkStore, removeFiles } from '../../../src/storage/fileCache.ts'
import { folderFiles } from '../../../src/storage/folderFiles.ts'
import type { ServedBackbone } from '../../../src/storage/manifest.ts'
import { downloadBytes, pageFiles } from '../../../src/storage/manifest.ts'
import { folderOf, isOwn } from '../../../src/storage/ownModels.ts'
import type { FolderPlace } from '../../../src/storage/ownModels.ts'
import { storageUse } from '../../../src/storage/persistence.ts'
import { fetchJson } from '../../../src/storage/servedJson.ts'
import { createMeter } from './meter.ts'
import { laterPart } from '../page/laterPart.ts'
import { siteUrl } from '../page/site.ts'

/** How a download stands. */
export interface DownloadStatus {
  readonly doneBytes: number
  readonly totalBytes: number
  /** True while the bytes come from an earlier visit. */
  readonly isFromDevice: boolean
  /** Of the last seconds; 0 while it cannot be told. */
  readonly bytesPerSecond: number
  /** Why nothing comes at this moment, where it is tried again. */
  readonly trouble: string | null
}

/** What of a model found no room, and how much room the browser says there is. */
export interface Shortage {
  readonly neededBytes: number
  readonly freeBytes: number
}

/** A backbone with its files at hand. */
export interface FetchedBackbone {
  /** The path in the backbone's folder → content. */
  readonly files: ReadonlyMap<string, Blob>
  readonly pack: { readonly name: string; readonly file: Blob } | null
  /** Null where everything will be here on the next visit. */
  readonly shortage: Shortage | null
}

interface ModelFilesState {
  /** Bytes on this device, by the backbone's id. */
  readonly kept: Readonly<Record<string, number>>
}

export const useModelFiles = create<ModelFilesState>()(() => ({ kept: {} }))

/** The eye does not see more often. */
const TELL_MS = 50

/**
 * The files of a backbone and of its pack, from this device or from the server.
 *
 * @throws HycoraError `download-failed`, `download-mismatch`, `cancelled`.
 */
export async function fetchBackbone(
  backbone: ServedBackbone,
  signal: AbortSignal,
  tell: (status: DownloadStatus) => void,
): Promise<FetchedBackbone> {
  const place = isOwn(backbone) ? folderOf(backbone) : null
  if (place) return fromFolder(place)
  const result = await downloaded(backbone, signal, tell).catch((thrown: unknown) =>
    explained(thrown, backbone),
  )
  const files = new Map<string, Blob>()
  let packFile: Blob | undefined
  for (const [path, content] of result.files) {
    if (path === backbone.pack?.path) packFile = content
    else files.set(isOwn(backbone) ? path : path.slice(backbone.folder.length + 1), content)
  }
  return {
    files,
    pack: backbone.pack && packFile ? { name: backbone.pack.path, file: packFile } : null,
    shortage: result.kept ? null : await measureShortage(backbone),
  }
}

/** What a hub or an address does not give, and what to do. */
async function explained(thrown: unknown, backbone: ServedBackbone): Promise<never> {
  if (isOwn(backbone) && backbone.own.place.kind === 'address') {
    const { addressRefusal } = await laterPart(() => import('../../../src/hub/address.ts'))
    throw addressRefusal(thrown, backbone.folder)
  }
  if (!isOwn(backbone) || backbone.own.place.kind !== 'hub') throw thrown
  const { fileRefusal } = await laterPart(() => import('../../../src/hub/refusal.ts'))
  throw fileRefusal(thrown, backbone.own.place.repository, new URL(backbone.folder).origin)
}

/** The packs that this site lists by their backbones; none where the list is not to be had. */
export async function listedPacks(): Promise<readonly ListedPack[]> {
  return fetchJson(siteUrl(PACK_INDEX)).then(parsePackIndex, () => [])
}

/**
 * A pack of this site, from this device or from the server.
 *
 * @throws HycoraError `download-failed`, `download-mismatch`, `cancelled`.
 */
export async function fetchListedPack(
  { file }: ListedPack,
  signal: AbortSignal,
  tell: (status: DownloadStatus) => void,
): Promise<PackFile | null> {
  const { files } = await told(await beginDownload([file], { folder: siteUrl(''), signal }), tell)
  const content = files.get(file.path)
  return content ? { name: file.path, file: content } : null
}

function downloaded(
  backbone: ServedBackbone,
  signal: AbortSignal,
  tell: (status: DownloadStatus) => void,
): Promise<DownloadResult> {
  // The files of a hub or an address are found without the site's own folder.
  const files = isOwn(backbone) ? backbone.files : pageFiles(backbone)
  const isPinned = isOwn(backbone) && backbone.own.place.kind === 'hub'
  const place = isOwn(backbone) ? { folder: backbone.folder, isPinned } : { folder: siteUrl('') }
  return beginDownload(files, { ...place, signal }).then((download) => told(download, tell))
}

/** A download to its end; how it goes is told as often as the eye sees it. */
async function told(
  download: AsyncGenerator<DownloadProgress, DownloadResult>,
  tell: (status: DownloadStatus) => void,
): Promise<DownloadResult> {
  const measure = createMeter()
  let toldAt = 0
  let step = await download.next()
  while (!step.done) {
    const { doneBytes, totalBytes, fetchedBytes, trouble } = step.value
    const now = performance.now()
    if (trouble !== null || doneBytes === totalBytes || now - toldAt >= TELL_MS) {
      toldAt = now
      const bytesPerSecond = fetchedBytes > 0 ? measure(fetchedBytes, now) : 0
      tell({ doneBytes, totalBytes, isFromDevice: fetchedBytes === 0, bytesPerSecond, trouble })
    }
    step = await download.next()
  }
  return step.value
}

async function beginDownload(
  files: readonly ManifestFile[],
  place: Pick<DownloadOptions, 'folder' | 'isPinned' | 'signal'>,
): Promise<AsyncGenerator<DownloadProgress, DownloadResult>> {
  const { downloadFiles } = await laterPart(() => import('../../../src/download/downloads.ts'))
  return downloadFiles(files, { ...place, store: await openChunkStore(), lock: lockFile })
}

/** A folder on this device is read where it lies. */
async function fromFolder({ folder, root }: FolderPlace): Promise<FetchedBackbone> {
  const all = await folderFiles(folder)
  const own = [...all].filter(([path]) => path.startsWith(root))
  return {
    files: new Map(own.map(([path, file]) => [path.slice(root.length), file])),
    pack: null,
    shortage: null,
  }
}

async function measureShortage(backbone: ServedBackbone): Promise<Shortage> {
  const { usedBytes, quotaBytes } = await storageUse()
  const kept = await keptBytes(pageFiles(backbone))
  return {
    neededBytes: downloadBytes(backbone) - kept,
    freeBytes: Math.max(0, quotaBytes - usedBytes),
  }
}

/** Counts what lies on this device of each backbone; what cannot be counted counts as nothing. */
export async function countKept(backbones: readonly ServedBackbone[]): Promise<void> {
  const entries = await Promise.all(
    backbones.map(async (backbone) => {
      const isCopy = isOwn(backbone) && backbone.own.place.kind === 'copy'
      const bytes = isCopy ? backbone.own.bytes : await keptBytes(pageFiles(backbone)).catch(() => 0)
      return [backbone.id, bytes] as const
    }),
  )
  useModelFiles.setState({ kept: Object.fromEntries(entries) })
}

/** Removes a backbone's files from this device; one that is loaded goes on playing until the page closes. */
export async function freeModel(
  backbone: ServedBackbone,
  backbones: readonly ServedBackbone[],
): Promise<void> {
  const others = backbones.filter(({ id }) => id !== backbone.id)
  await removeFiles(pageFiles(backbone), others.flatMap(pageFiles))
  await countKept(backbones)
}
