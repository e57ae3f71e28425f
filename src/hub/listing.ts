import { asHycoraError, HycoraError } from '../core/errors.ts'
import type { ServedFile } from '../download/servedFile.ts'
import { politeFetch } from './politeFetch.ts'
import type { Fetcher } from './politeFetch.ts'
import { HUB_URL } from './repository.ts'
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
}

/** Large files come in parts of this size. */
const CHUNK_BYTES = 16 * 2 ** 20

/**
 * Asks a hub what it has of a model, at the commit that its revision names now.
 *
 * @throws HycoraError `download-failed` saying why not and what to do; `format-invalid` where it is no hub; `cancelled`.
 */
export async function listRepository(
  { name, revision }: Repository,
  { hubUrl = HUB_URL, fetcher = fetch, signal, token, pauseMs }: HubOptions = {},
): Promise<HubListing> {
  const { listFiles, modelInfo } = await import('@huggingface/hub')
  const polite = politeFetch(fetcher, signal, pauseMs)
  const asked = { hubUrl, fetch: polite, ...(token && { accessToken: token }) }
  try {
    const model = await modelInfo({ name, revision, additionalFields: ['sha', 'cardData'], ...asked })
    const commit = model.sha
    if (!/^[0-9a-f]{40}$/.test(commit)) throw new HycoraError('format-invalid', noHub(hubUrl))
    const files: ServedFile[] = []
    for await (const entry of listFiles({ repo: name, revision: commit, recursive: true, ...asked })) {
      if (entry.type === 'file') files.push(servedFile(entry, hubUrl))
    }
    const licence: unknown = model.cardData?.license
    return {
      name: model.name || name,
      revision: commit,
      licence: typeof licence === 'string' ? licence : '',
      isGated: model.gated !== false,
      files,
    }
  } catch (thrown) {
    if (signal?.aborted) throw new HycoraError('cancelled', 'the hub was not waited for', { cause: thrown })
    throw asHubError(thrown, `${name}@${revision}`, hubUrl)
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
  const sha256 = lfs?.oid.replace(/^sha256:/, '') ?? ''
  const isNamed = lfs ? /^[0-9a-f]{64}$/.test(sha256) : /^[0-9a-f]{40}$/.test(oid)
  const bytes = lfs?.size ?? size
  // Such a path would lie outside of the folder that a model is fetched into.
  if (path.split(/[/\\]/).some((part) => part === '..' || part === '') || path.includes(':')) {
    throw new HycoraError('format-invalid', `${noHub(hubUrl)}: "${path}" is no path of a file in a model`)
  }
  if (!isNamed || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw new HycoraError('format-invalid', `${noHub(hubUrl)}: ${path} has no size or hash there`)
  }
  return {
    path,
    bytes,
    sha256,
    ...(!lfs && { gitSha1: oid }),
    ...(bytes > CHUNK_BYTES && { chunks: { bytes: CHUNK_BYTES, sha256: null } }),
  }
}

function noHub(hubUrl: string): string {
  return `${hubUrl} does not answer as a hub of models does`
}

/** What went wrong with a hub, in a sentence that says what to do. */
function asHubError(thrown: unknown, model: string, hubUrl: string): HycoraError {
  if (thrown instanceof HycoraError) return thrown
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined
  if (typeof status === 'number') {
    return new HycoraError('download-failed', refusalText(status, model, hubUrl), { cause: thrown })
  }
  if (thrown instanceof SyntaxError) {
    return new HycoraError('format-invalid', noHub(hubUrl), { cause: thrown })
  }
  const { message } = asHycoraError(thrown, 'download-failed')
  return new HycoraError('download-failed', `${hubUrl} cannot be reached: ${message}`, { cause: thrown })
}

/** Why a hub does not give something, and what to do. */
export function refusalText(status: number, model: string, hubUrl = HUB_URL): string {
  if (status === 401 || status === 403) {
    return (
      `${hubUrl} does not give ${model} to strangers (${status}): it is gated, private, or not there. ` +
      `Accept its terms at ${hubUrl}/${model.replace(/@.*$/, '')}, fetch it with \`hycora fetch\` and your HF_TOKEN, and open the folder.`
    )
  }
  if (status === 404) return `${hubUrl} has no model ${model}: look at how its name and revision are written.`
  if (status === 429) return `${hubUrl} is asked too often from here (429): try again in some minutes.`
  return `${hubUrl} answered ${status} when it was asked for ${model}: try again later.`
}
