import { check, HycoraError } from '../core/errors.ts'
import type { ServedFile } from '../download/servedFile.ts'
import { asUnreadable, politeFetch } from './politeFetch.ts'
import type { Fetcher } from './politeFetch.ts'
import { refusal } from './refusal.ts'
import { HUB_URL, isRepositoryName } from './repository.ts'
import type { Repository } from './repository.ts'

/** What a hub has of a model at one revision. */
export interface HubListing {
  /** `OWNER/NAME`, as the hub writes it. */
  readonly name: string
  /** The commit: what lies there never changes. */
  readonly revision: string
  /** As its authors name it; empty where they do not. */
  readonly licence: string
  /** Whether it is given only to those who have accepted its terms. */
  readonly isGated: boolean
  readonly files: readonly ServedFile[]
}

export interface HubOptions {
  readonly hubUrl?: string
  readonly fetcher?: Fetcher
  readonly signal?: AbortSignal
  /** Of somebody who has accepted a gated model's terms. */
  readonly token?: string
  /** How long to wait before a busy hub is asked again. */
  readonly pauseMs?: number
  /** How long nothing may come. */
  readonly stallMs?: number
}

/** Large files come in parts of this size. */
const CHUNK_BYTES = 16 * 2 ** 20
/** More than a repository of one model has, and more than any of its files. */
const MOST_FILES = 20_000
const MOST_BYTES = 2 ** 40

/**
 * Asks a hub what it has of a model, at the commit that its revision names now.
 *
 * @throws HycoraError `download-refused`, `download-failed` saying why not and what to do; `format-invalid` where it does not
 * answer as a hub does; `cancelled`.
 */
export async function listRepository(
  { name, revision }: Repository,
  { hubUrl = HUB_URL, signal, token, ...options }: HubOptions = {},
): Promise<HubListing> {
  const { listFiles, modelInfo } = await import('@huggingface/hub')
  const refuse = (status: number): HycoraError => refusal(status, `${name}@${revision}`, hubUrl)
  const polite = politeFetch({ ...options, hubUrl, signal, refuse })
  const asked = { hubUrl, fetch: polite, ...(token && { accessToken: token }) }
  try {
    const model = await modelInfo({ name, revision, additionalFields: ['sha', 'cardData'], ...asked })
    const own = model.name || name
    checkAnswer(/^[0-9a-f]{40}$/.test(model.sha), hubUrl, 'it names no commit')
    checkAnswer(isRepositoryName(own), hubUrl, `"${own}" is no name of a model`)
    const files = new Map<string, ServedFile>()
    for await (const entry of listFiles({ repo: name, revision: model.sha, recursive: true, ...asked })) {
      if (entry.type !== 'file') continue
      const file = servedFile(entry, hubUrl)
      checkAnswer(!files.has(file.path), hubUrl, `it lists ${file.path} twice`)
      checkAnswer(files.size < MOST_FILES, hubUrl, `it lists more than ${MOST_FILES} files`)
      files.set(file.path, file)
    }
    const licence: unknown = model.cardData?.license
    return {
      name: own,
      revision: model.sha,
      licence: typeof licence === 'string' ? licence : '',
      isGated: Boolean(model.gated),
      files: [...files.values()],
    }
  } catch (thrown) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the hub was not waited for', { cause: thrown })
    throw asUnreadable(thrown, hubUrl)
  }
}

/** Where the files of a listing lie, with a slash at the end. */
export function filesUrl(
  { name, revision }: Pick<HubListing, 'name' | 'revision'>,
  hubUrl = HUB_URL,
): string {
  return `${hubUrl}/${name}/resolve/${revision}/`
}

interface HubEntry {
  readonly path: string
  readonly size: number
  readonly oid?: string
  readonly lfs?: { readonly oid: string; readonly size: number }
}

function servedFile({ path, size, oid = '', lfs }: HubEntry, hubUrl: string): ServedFile {
  checkAnswer(isPath(path), hubUrl, `"${path}" is no path of a file in a model`)
  const sha256 = lfs ? lfs.oid.replace(/^sha256:/, '') : ''
  const isNamed = lfs ? /^[0-9a-f]{64}$/.test(sha256) : /^[0-9a-f]{40}$/.test(oid)
  const bytes = lfs?.size ?? size
  const isSize = Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= MOST_BYTES
  checkAnswer(isNamed && isSize, hubUrl, `${path} has no size or hash there`)
  return {
    path,
    bytes,
    sha256,
    ...(!lfs && { gitSha1: oid }),
    ...(bytes > CHUNK_BYTES && { chunks: { bytes: CHUNK_BYTES, sha256: null } }),
  }
}

/** Whether a path lies inside of the folder that a model is fetched into, whatever the system calls a path. */
function isPath(path: unknown): boolean {
  if (typeof path !== 'string' || path.length > 1024) return false
  return path.split(/[/\\]/).every((part) => !/^[. ]*$/.test(part) && !/[:\p{Cc}\p{Cs}]/u.test(part))
}

function checkAnswer(isRight: boolean, hubUrl: string, what: string): void {
  check(isRight, 'format-invalid', () => `${hubUrl} does not answer as a hub of models does: ${what}`)
}
