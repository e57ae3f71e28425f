import type { EngineClient } from '../../src/engine/client.ts'
import { PACK_INDEX } from '../../src/download/packIndex.ts'
import { startApp } from '../../app/startApp.tsx'

const MODEL_INDEX = 'models/index.json'
/** What each file of a model, and each pack, holds here, and its SHA-256. */
const CONTENT = 'a'
const FILE = { bytes: 1, sha256: 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb' }

interface ListedModel {
  readonly folder: string
  readonly files: readonly { readonly path: string }[]
}
interface ListedPack {
  readonly file: { readonly path: string }
}

/** The page's own way to fetch. */
const fetchReal = globalThis.fetch.bind(globalThis)
/** Where files lie that hold no more than a letter here. */
const small = new Set<string>()

async function listed<T>(path: string): Promise<T[]> {
  const response = await fetchReal(addressOf(path))
  const list: T[] = await response.json()
  return list
}

function addressOf(path: string): string {
  return new URL(path, document.baseURI).href
}

/** The site's models, of a letter a file. */
async function smallModels(): Promise<ListedModel[]> {
  const models = await listed<ListedModel>(MODEL_INDEX)
  return models.map((model) => {
    for (const { path } of model.files) small.add(addressOf(`${model.folder}/${path}`))
    return { ...model, files: model.files.map(({ path }) => ({ path, ...FILE })) }
  })
}

async function smallPacks(): Promise<ListedPack[]> {
  const packs = await listed<ListedPack>(PACK_INDEX)
  return packs.map((pack) => {
    const { path } = pack.file
    small.add(addressOf(path))
    return { ...pack, file: { path, ...FILE } }
  })
}

async function fetchSmall(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const url = input instanceof Request ? input.url : new URL(input, document.baseURI).href
  if (url === addressOf(MODEL_INDEX)) return Response.json(await smallModels())
  if (url === addressOf(PACK_INDEX)) return Response.json(await smallPacks())
  return small.has(url) ? new Response(CONTENT) : fetchReal(input, init)
}

/**
 * The page as `startApp` makes it, on an engine that reads no file: models and packs of the site are a few bytes, so that a
 * test neither fetches nor checks a hundred megabytes that nobody reads.
 */
export function startOnSmallSite(root: HTMLElement, connect: () => EngineClient): Promise<() => void> {
  globalThis.fetch = fetchSmall
  return startApp(root, connect)
}
