// Scope: live. A model that is brought here: looked at, one of its forms chosen, then kept and loaded.
import { create } from 'zustand'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import { processorRoom } from '../../../src/core/processorMemory.ts'
import { downloadFiles } from '../../../src/download/downloads.ts'
import type { DownloadOptions } from '../../../src/download/downloads.ts'
import type { ManifestFile } from '../../../src/download/servedFile.ts'
import { listAddress, readAddress } from '../../../src/hub/address.ts'
import { parseCatalogue } from '../../../src/hub/catalogue.ts'
import type { CatalogueEntry } from '../../../src/hub/catalogue.ts'
import type { Hub } from '../../../src/hub/hubs.ts'
import { parseHubs } from '../../../src/hub/hubs.ts'
import { filesUrl, listRepository } from '../../../src/hub/listing.ts'
import type { HubListing } from '../../../src/hub/listing.ts'
import { bestVariant, EASE, fitOf, graphicsBytes, readModelFacts } from '../../../src/hub/modelFit.ts'
import type { DeviceRoom, Fit, ModelFacts } from '../../../src/hub/modelFit.ts'
import { fileRefusal } from '../../../src/hub/refusal.ts'
import { readRepository } from '../../../src/hub/repository.ts'
import { playableVariants } from '../../../src/hub/variants.ts'
import type { SizedFile, Variant } from '../../../src/hub/variants.ts'
import { folderFiles } from '../../../src/storage/folderFiles.ts'
import { copyModel, removeCopy } from '../../../src/storage/modelCopy.ts'
import { forgetOwnModel, keepOwnModel } from '../../../src/storage/ownModels.ts'
import type { ModelPlace, OwnBackbone } from '../../../src/storage/ownModels.ts'
import { storageUse } from '../../../src/storage/persistence.ts'
import { fetchJson } from '../../../src/storage/servedJson.ts'
import { newId } from '../page/newId.ts'
import { siteUrl } from '../page/site.ts'
import { chooseBackbone, connectedEngine, useEngine } from './engine.ts'
import { freeModel } from './modelFiles.ts'

interface FolderFile {
  readonly path: string
  readonly bytes: number
  readonly file: File
}

/** What was found, and in what forms it comes. */
export type Offer =
  | {
      readonly kind: 'hub'
      readonly name: string
      readonly hub: Hub
      readonly listing: HubListing
      readonly variants: readonly Variant[]
      /** What its config.json says; null where that leaves out a size. */
      readonly facts: ModelFacts | null
    }
  | {
      readonly kind: 'address'
      readonly name: string
      /** On the page's own origin, with a slash at its end. */
      readonly address: string
      readonly variants: readonly Variant[]
      readonly facts: ModelFacts | null
    }
  | {
      readonly kind: 'folder'
      readonly name: string
      /** Null where the browser does not let a page remember it, so that its files are copied. */
      readonly folder: FileSystemDirectoryHandle | null
      readonly variants: readonly Variant<FolderFile>[]
      readonly facts: ModelFacts | null
    }

interface AddModelState {
  readonly phase: 'idle' | 'looking' | 'offered' | 'keeping'
  readonly hubs: readonly Hub[]
  readonly catalogue: readonly CatalogueEntry[]
  readonly offer: Offer | null
  /** Which of the forms is chosen. */
  readonly chosen: number
  /** How each of the forms fits on this device; null where it cannot be told. */
  readonly fits: readonly Fit[] | null
  /** Bytes that this browser has left for files; null where it does not say. */
  readonly freeBytes: number | null
  readonly failure: Failure | null
}

const initial: Omit<AddModelState, 'hubs' | 'catalogue'> = {
  phase: 'idle',
  offer: null,
  chosen: 0,
  fits: null,
  freeBytes: null,
  failure: null,
}

export const useAddModel = create<AddModelState>()(() => ({ ...initial, hubs: [], catalogue: [] }))

const CONFIG = 'config.json'

let looking: AbortController | undefined

/** Learns which hubs this site may ask, and what it finds worth a look there; nothing is asked of them. */
export async function openHubs(): Promise<void> {
  const hubs = await fetchJson(siteUrl('models/hubs.json')).then(parseHubs, () => [])
  useAddModel.setState({ hubs })
  const catalogue = await fetchJson(siteUrl('models/catalogue.json')).then(parseCatalogue, () => [])
  useAddModel.setState({ catalogue })
}

/** Asks a hub what it has of a model. */
export function lookAtHub(text: string, hub: Hub): Promise<void> {
  return look(async (signal) => {
    const listing = await listRepository(readRepository(text), { hubUrl: hub.url, signal })
    const variants = playableVariants(listing.name, listing.files)
    const place = { folder: filesUrl(listing, hub.url), isPinned: true, signal }
    const config = await fetchConfig(variants[0], place).catch((thrown: unknown) => {
      throw fileRefusal(thrown, listing.name, hub.url)
    })
    return { kind: 'hub', name: listing.name, hub, listing, variants, facts: readModelFacts(config) }
  })
}

/** The config.json of a form; undefined where it is no JSON. */
async function fetchConfig(
  variant: Variant | undefined,
  { folder, ...place }: Pick<DownloadOptions, 'folder' | 'isPinned' | 'signal'>,
): Promise<unknown> {
  const files = variant?.files.filter(({ path }) => path === CONFIG) ?? []
  const download = downloadFiles(files, { ...place, folder: folder + (variant?.root ?? '') })
  let step = await download.next()
  while (!step.done) step = await download.next()
  return parsed(await step.value.files.get(CONFIG)?.text())
}

/** Looks at what lies at an address of this page's own origin. */
export function lookAtAddress(text: string): Promise<void> {
  return look(async (signal) => {
    const address = readAddress(text, document.baseURI)
    const { name, folder } = address
    const variants = playableVariants(name, await listAddress(address, { signal }))
    const facts = readModelFacts(await fetchConfig(variants[0], { folder, signal }))
    return { kind: 'address', name, address: folder, variants, facts }
  })
}

/** Looks at a folder that the browser can remember. */
export function lookAtFolder(folder: FileSystemDirectoryHandle): Promise<void> {
  return look(async () => folderOffer(folder.name, folder, await folderFiles(folder)))
}

/** Looks at the files of a folder, as a picker gives them: each under the folder's own name. */
export function lookAtFiles(files: readonly File[]): Promise<void> {
  const [name = 'folder'] = files[0]?.webkitRelativePath.split('/') ?? []
  const paths = files.map((file) => [file.webkitRelativePath.slice(name.length + 1), file] as const)
  return look(() => folderOffer(name, null, new Map(paths)))
}

async function folderOffer(
  name: string,
  folder: FileSystemDirectoryHandle | null,
  files: ReadonlyMap<string, File>,
): Promise<Offer> {
  const listed = [...files].map(([path, file]) => ({ path, bytes: file.size, file }))
  const variants = playableVariants(name, listed)
  const config = await variants[0]?.files.find(({ path }) => path === CONFIG)?.file.text()
  return { kind: 'folder', name, folder, variants, facts: readModelFacts(parsed(config)) }
}

function parsed(text = ''): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** How an offer fits on this device: by its sizes, by what the graphics card gives, and by what the browser keeps. */
async function assess(offer: Offer): Promise<Pick<AddModelState, 'chosen' | 'fits' | 'freeBytes'>> {
  const { usedBytes, quotaBytes } = await storageUse()
  const freeBytes = offer.kind !== 'folder' && quotaBytes > 0 ? Math.max(0, quotaBytes - usedBytes) : null
  const { facts, variants } = offer
  if (!facts) return { chosen: 0, fits: null, freeBytes }
  const room = await deviceRoom(facts, variants)
  const fits = variants.map((variant) => fitOf(variant, facts, room))
  return { chosen: bestVariant(variants, fits), fits, freeBytes }
}

async function deviceRoom(facts: ModelFacts, variants: readonly Variant<SizedFile>[]): Promise<DeviceRoom> {
  const { report } = useEngine.getState()
  const { maxBufferSize = 0, maxStorageBufferBindingSize = 0 } = report?.limits ?? {}
  const maxBuffer = Math.min(maxBufferSize, maxStorageBufferBindingSize)
  const needs = variants.map((variant) => graphicsBytes(variant, facts, maxBuffer) ?? 0)
  // A processor that pretends to be a graphics card has the processor's memory.
  const wanted = report?.status === 'ready' ? EASE * Math.max(...needs) : 0
  const graphics = wanted > 0 ? await connectedEngine()?.request('room', { wanted }) : null
  return { graphics: graphics ?? null, maxBuffer, memory: processorRoom() }
}

async function look(find: (signal: AbortSignal) => Promise<Offer>): Promise<void> {
  looking?.abort()
  looking = new AbortController()
  const { signal } = looking
  useAddModel.setState({ ...initial, phase: 'looking' })
  try {
    const offer = await find(signal)
    const assessed = await assess(offer)
    if (signal.aborted) return
    useAddModel.setState({ ...assessed, phase: 'offered', offer })
  } catch (thrown) {
    if (signal.aborted) return
    useAddModel.setState({ ...initial, failure: failureOf(thrown, 'download-failed') })
  }
}

/** Chooses one of the forms. */
export function chooseVariant(chosen: number): void {
  useAddModel.setState({ chosen })
}

/** Puts away what was found. */
export function putAwayOffer(): void {
  looking?.abort()
  useAddModel.setState(initial)
}

/** Keeps what was found and takes it as the model; its files come when it is loaded. */
export async function takeOffer(): Promise<void> {
  const { phase, offer, chosen } = useAddModel.getState()
  if (phase !== 'offered' || !offer) return
  useAddModel.setState({ phase: 'keeping', failure: null })
  try {
    const id = await keepOffer(offer, chosen)
    useAddModel.setState(initial)
    await chooseBackbone(id)
  } catch (thrown) {
    useAddModel.setState({ phase: 'offered', failure: failureOf(thrown, 'storage-corrupt') })
  }
}

async function keepOffer(offer: Offer, chosen: number): Promise<string> {
  const variant = offer.variants[chosen]
  if (!variant) throw new HycoraError('usage', 'no form of the model is chosen')
  const common = {
    version: 1,
    model: variant.model,
    bytes: variant.bytes,
    fingerprint: '',
    addedAt: Date.now(),
  } as const
  const name = nameOf(offer, variant)
  if (offer.kind !== 'folder') {
    const files: readonly ManifestFile[] = offer.variants[chosen]?.files ?? []
    const { folder, id, licence, place } = sourceOf(offer)
    const own = { id: `${id}/${variant.root}${variant.model}`, filesUrl: folder + variant.root, files }
    await keepOwnModel({ ...common, ...own, name, licence, place })
    return own.id
  }
  const id = newId()
  const files = new Map(offer.variants[chosen]?.files.map(({ path, file }) => [path, file]))
  const place: ModelPlace = offer.folder
    ? { kind: 'folder', folder: offer.folder, root: variant.root }
    : { kind: 'copy', folder: await copyModel(id, files), root: '' }
  await keepOwnModel({
    ...common,
    id,
    name,
    licence: '',
    place,
    filesUrl: '',
    files: [],
  })
  return id
}

/** Where the files of an offer are fetched from. */
function sourceOf(offer: Exclude<Offer, { readonly kind: 'folder' }>) {
  if (offer.kind === 'address') {
    const { address } = offer
    return { folder: address, id: address, licence: '', place: { kind: 'address', address } } as const
  }
  const { listing, hub } = offer
  const { name: repository, revision, licence } = listing
  const id = `${hub.url}/${repository}@${revision}`
  const place = { kind: 'hub', hub: hub.name, repository, revision } as const
  return { folder: filesUrl(listing, hub.url), id, licence, place }
}

function nameOf({ name, variants }: Offer, { label }: Pick<Variant, 'label'>): string {
  const title = name.slice(name.lastIndexOf('/') + 1)
  return variants.length > 1 ? `${title} (${label})` : title
}

/** Forgets a model that was brought, and removes what of it lies in this browser; a folder of the visitor's stays. */
export async function removeOwnModel(backbone: OwnBackbone): Promise<void> {
  const { id, own } = backbone
  const others = useEngine.getState().backbones.filter((one) => one.id !== id)
  if (own.place.kind === 'copy') await removeCopy(id)
  else await freeModel(backbone, others)
  await forgetOwnModel(id)
  useEngine.setState({ backbones: others })
  if (useEngine.getState().backbone?.id === id) await chooseBackbone(others[0]?.id ?? '')
}
