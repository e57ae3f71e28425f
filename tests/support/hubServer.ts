import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { openFaultServer } from './faultServer.ts'
import type { Fault, FaultServer } from './faultServer.ts'

/** A repository of the hub that tests ask: paths and contents; files above `lfsBytes` are LFS files. */
export interface HubRepository {
  readonly name: string
  readonly files: ReadonlyMap<string, Buffer>
  readonly licence?: string
  readonly gated?: false | 'auto' | 'manual'
}

export interface HubServer {
  readonly url: string
  /** Where large files lie: another origin, to which the hub sends on. */
  readonly storage: FaultServer
  /** How the next requests to the hub itself are answered wrongly, by the beginning of their path. */
  readonly faults: Map<string, HubFault[]>
  /** The paths that the hub was asked for. */
  readonly asked: string[]
  /** Who showed a token to the hub or its storage: where, and which. */
  readonly tokens: string[]
  close(): Promise<void>
}

/** Answers in a good hub's place. */
export type HubFault = (response: ServerResponse) => void

export const COMMIT = 'c0ffee0000000000000000000000000000000001'
const LFS_BYTES = 100_000
/** So that every listing comes in several pages. */
const PAGE = 3

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex')
const gitSha1 = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')

const open = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag,Link,Content-Range,Retry-After',
}

/** A server that speaks the hub's API: what a model is, its files page by page, and files by way of another host. */
export async function openHubServer(repositories: readonly HubRepository[]): Promise<HubServer> {
  const contents = new Map(
    repositories.flatMap(({ files }) =>
      [...files.values()].map((content) => [`/${sha256(content)}`, content]),
    ),
  )
  const tokens: string[] = []
  const storage = await openFaultServer({
    read: (path) => contents.get(path),
    headers: () => ({ ...open, 'Access-Control-Allow-Headers': 'Range' }),
    watch: ({ headers }) => {
      if (headers.authorization) tokens.push(`storage ${headers.authorization}`)
    },
  })
  const asked: string[] = []
  const faults = new Map<string, HubFault[]>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    asked.push(pathname)
    if (request.headers.authorization) tokens.push(`hub ${request.headers.authorization}`)
    for (const [name, value] of Object.entries(open)) response.setHeader(name, value)
    const place = [...faults.keys()].find((start) => pathname.startsWith(start))
    const fault = place === undefined ? undefined : faults.get(place)?.shift()
    if (fault) fault(response)
    else answer({ request, response, pathname, searchParams }, repositories, storage)
  })
  const url = await listen(server)
  return {
    url,
    storage,
    faults,
    asked,
    tokens,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await storage.close()
    },
  }
}

/** Answers with a status and no more. */
export const refuseHub =
  (status: number, headers: Readonly<Record<string, string>> = {}): HubFault =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
    response.end(JSON.stringify({ error: `status ${status}` }))
  }

/** Answers with a value as JSON. */
export const answerJson =
  (value: unknown, headers: Readonly<Record<string, string>> = {}): HubFault =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(value))
  }

/** Sends on to another address. */
export const sendOn =
  (url: string): HubFault =>
  (response) => {
    response.writeHead(302, { Location: url }).end()
  }

/** Answers with a page of somebody else's. */
export const answerHtml: HubFault = (response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Sign in</title>')
}

/** The faults of the storage for a file of a repository. */
export function faultsOf(
  hub: HubServer,
  { files }: HubRepository,
  path: string,
  faults: readonly Fault[],
): void {
  const content = files.get(path)
  if (!content) throw new Error(`the repository has no ${path}`)
  hub.storage.faults.set(`/${sha256(content)}`, [...faults])
}

interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly pathname: string
  readonly searchParams: URLSearchParams
}

function answer(
  { response, pathname, searchParams }: Asked,
  repositories: readonly HubRepository[],
  storage: FaultServer,
): void {
  const repository = repositories.find(
    ({ name }) => pathname.startsWith(`/api/models/${name}/`) || pathname.startsWith(`/${name}/`),
  )
  if (!repository) return refuseHub(401)(response)
  const { name, files, licence, gated = false } = repository
  if (pathname.startsWith(`/api/models/${name}/revision/`)) {
    answerJson({ _id: '1', id: name, sha: COMMIT, gated, private: false, cardData: { license: licence } })(
      response,
    )
  } else if (pathname === `/api/models/${name}/tree/${COMMIT}`) {
    const from = Number(searchParams.get('cursor') ?? 0)
    const page = [...files].slice(from, from + PAGE).map(([path, content]) => entryOf(path, content))
    const next = `<http://${response.req.headers.host}${pathname}?recursive=true&cursor=${from + PAGE}>; rel="next"`
    answerJson(page, from + PAGE < files.size ? { Link: next } : {})(response)
  } else {
    const content = files.get(decodeURIComponent(pathname.replace(`/${name}/resolve/${COMMIT}/`, '')))
    if (!content) return refuseHub(404)(response)
    if (gated !== false) return refuseHub(403)(response)
    response.writeHead(302, { Location: `${storage.url}${sha256(content)}` }).end()
  }
}

/** A file as the hub lists it. */
export function entryOf(path: string, content: Buffer): Record<string, unknown> {
  const common = { type: 'file', path, size: content.length, oid: gitSha1(content) }
  if (content.length < LFS_BYTES) return common
  return { ...common, lfs: { oid: sha256(content), size: content.length, pointerSize: 134 } }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
