// Scope: live. The engine, from the first look at the graphics card to a model that answers.
import type { PackFile } from '../../../src/formats/packFacts.ts'
import type { LoadProgress } from '../../../src/play/path.ts'
import type { PathChoice } from '../../../src/core/path.ts'
import { create } from 'zustand'

import { failureOf, HycoraError } from '../../../src/core/errors.ts'
import type { Failure } from '../../../src/core/errors.ts'
import type { EngineClient } from '../../../src/engine/client.ts'
import type { BackboneInfo, DeviceReport, DeviceState, LoadParams } from '../../../src/engine/protocol.ts'
import { fetchJson } from '../../../src/storage/servedJson.ts'
import { removeUnlistedFiles } from '../../../src/storage/fileCache.ts'
import type { ManifestFile } from '../../../src/download/servedFile.ts'
import type { ServedBackbone } from '../../../src/storage/manifest.ts'
import { pageFiles, parseManifest } from '../../../src/storage/manifest.ts'
import { isOwn, keepOwnModel, listOwnModels, ownBackbone } from '../../../src/storage/ownModels.ts'
import { assignRoles } from '../company/cast.ts'
import { castPackFor } from '../company/castPack.ts'
import { listedFor } from '../../../src/download/packIndex.ts'
import type { ListedPack } from '../../../src/download/packIndex.ts'
import { countKept, fetchBackbone, fetchListedPack, listedPacks } from './modelFiles.ts'
import type { DownloadStatus, FetchedBackbone, Shortage } from './modelFiles.ts'
import { changeSettings, useSettings } from '../page/settings.ts'
import { siteUrl } from '../page/site.ts'

/** What is being waited for. */
export interface LoadStatus extends DownloadStatus {
  readonly stage: 'download' | LoadProgress['stage']
}

export interface EngineState {
  /** `blocked`: the address is not secure, so the browser gives the page next to nothing. */
  readonly phase: 'starting' | 'loading' | 'ready' | 'blocked' | 'failed'
  readonly report: DeviceReport | null
  readonly status: LoadStatus | null
  readonly backbones: readonly ServedBackbone[]
  readonly backbone: ServedBackbone | null
  readonly info: BackboneInfo | null
  readonly failure: Failure | null
  readonly device: DeviceState
  /** What of the model will not be here on the next visit; null where all will. */
  readonly shortage: Shortage | null
  /** Whether the cast plays by a pack that this site lists for the model, wherever that came from. */
  readonly isPackListed: boolean
}

const initial: EngineState = {
  phase: 'starting',
  report: null,
  status: null,
  backbones: [],
  backbone: null,
  info: null,
  failure: null,
  device: 'ready',
  shortage: null,
  isPackListed: false,
}

export const useEngine = create<EngineState>()(() => initial)

let client: EngineClient | undefined
let connector: (() => EngineClient) | undefined
/** Stops the start that is under way. */
let starting: AbortController | undefined
/** The pack that came with the model. */
let shipped: PackFile | null = null

/** Starts the engine and loads what this site serves. What goes wrong is told in the state. */
export async function startEngine(connect: () => EngineClient): Promise<void> {
  if (!connector) window.addEventListener('online', () => void resumeDownload())
  connector = connect
  starting?.abort()
  starting = new AbortController()
  const { signal } = starting
  client?.close()
  client = undefined
  // The choice of models stands through a new start, so that one that fails can be left for another.
  useEngine.setState({ ...initial, backbones: useEngine.getState().backbones }, true)
  if (!window.isSecureContext) {
    useEngine.setState({ phase: 'blocked' })
    return
  }
  try {
    const engine = connect()
    client = engine
    engine.onDeviceState((device, info) => useEngine.setState({ device, ...(info && { info }) }))
    const report = await engine.request('diagnose', {})
    signal.throwIfAborted()
    useEngine.setState({ report, phase: 'loading' })
    await loadBackbone(engine, signal)
  } catch (thrown) {
    // Another start has taken the place of this one.
    if (signal.aborted) return
    const failure = failureOf(thrown, 'webgpu-unavailable')
    useEngine.setState({ phase: 'failed', failure, status: null })
  }
}

/** Starts again after a failure or with another choice; whole files that came before are still here. */
export async function retryEngine(): Promise<void> {
  if (connector) await startEngine(connector)
}

/** Back online, a download that failed goes on by itself. */
async function resumeDownload(): Promise<void> {
  if (useEngine.getState().failure?.code === 'download-failed') await retryEngine()
}

/** Whether the model has the speed to keep to the question unasked; it is taken to have it until it is known. */
export function affordsGuidance(): boolean {
  return useEngine.getState().info?.affordsGuidance ?? true
}

/** From here on a model can hold a whole card; a smaller one speaks about the character then, or as anybody in it. */
const HOLDS_A_CARD = 450_000_000

/** Whether somebody without weights is played by the whole card here. */
export function sendsWholeCard(): boolean {
  const { cardText } = useSettings.getState()
  if (cardText !== 'auto') return cardText === 'card'
  return (useEngine.getState().info?.parameters ?? 0) >= HOLDS_A_CARD
}

/** The pack that came with the model; null where none did. */
export function shippedPack(): PackFile | null {
  return shipped
}

/** The engine, with or without a model in it; undefined where none could be started. */
export function connectedEngine(): EngineClient | undefined {
  return client
}

/** The engine, as soon as a model stands in it. @throws HycoraError why it will not; `cancelled`. */
export function whenReady(signal: AbortSignal): Promise<EngineClient> {
  return new Promise((resolve, reject) => {
    const settle = (state: EngineState): boolean => {
      if (signal.aborted) reject(new HycoraError('cancelled', 'the answer was not waited for'))
      else if (state.phase === 'ready' && client) resolve(client)
      else if (state.failure) reject(new HycoraError(state.failure.code, state.failure.message))
      else if (state.phase === 'blocked')
        reject(new HycoraError('webgpu-unavailable', 'this address is not secure'))
      else return false
      return true
    }
    if (settle(useEngine.getState())) return
    const stop = useEngine.subscribe((state) => {
      if (settle(state)) stop()
    })
    signal.addEventListener('abort', () => {
      stop()
      settle(useEngine.getState())
    })
  })
}

async function loadBackbone(engine: EngineClient, signal: AbortSignal): Promise<void> {
  const ofSite = parseManifest(await fetchJson(siteUrl('models/index.json')))
  // Without a record of what was brought, the models of the site play, and nothing that lies here is removed.
  const brought = await listOwnModels().catch(() => null)
  const backbones = [...ofSite, ...(brought ?? []).map(ownBackbone)]
  signal.throwIfAborted()
  const wanted = useSettings.getState().backbone
  const backbone = backbones.find(({ id }) => id === wanted) ?? backbones[0]
  if (!backbone) return
  useEngine.setState({ backbones, backbone })

  const { files, pack: served, shortage } = await fetchFiles(backbone, signal)
  const listed = await listedPacks()
  const known = served
    ? { pack: served, isListed: false }
    : await findPack(listed, backbone.fingerprint, signal)
  useEngine.setState({ shortage })
  const { path, rates, soundDevice } = useSettings.getState()
  const device = deviceKey(backbone)
  const isSound = soundDevice === soundnessKey()
  const { name, model } = backbone
  const params = { name, files, path, rates: rates[device] ?? {}, isSound, ...(model && { model }) }
  const loaded = await loadPack(engine, { ...params, pack: known.pack })
  signal.throwIfAborted()
  // Whose a model is that was just brought is known once it has been read.
  const isNews = known.pack === null && loaded.fingerprint !== backbone.fingerprint
  const { pack, isListed } = isNews ? await findPack(listed, loaded.fingerprint, signal) : known
  const info =
    pack === known.pack ? loaded : await loadPack(engine, { ...params, pack, rates: loaded.computing.rates })
  signal.throwIfAborted()
  shipped = pack
  assignRoles(info.roles)
  useEngine.setState({ phase: 'ready', info, status: null, isPackListed: isListed })
  changeSettings({
    rates: { ...useSettings.getState().rates, [device]: info.computing.rates },
    ...(info.computing.path === 'webgpu' && { soundDevice: soundnessKey() }),
  })
  await rememberFingerprint(backbone, info)
  // Chunks that no model needs any more do no harm: the model plays, and they are looked for again next time.
  if (brought) await removeUnlistedFiles(neededFiles(listed)).catch(() => 0)
}

/** The pack by which the cast plays on a model that comes without: taught here, else of those that this site lists. */
async function findPack(
  listed: readonly ListedPack[],
  fingerprint: string,
  signal: AbortSignal,
): Promise<{ readonly pack: PackFile | null; readonly isListed: boolean }> {
  const taught = await castPackFor(fingerprint)
  if (taught) return { pack: taught, isListed: false }
  const pack = await packFrom(listed, fingerprint, signal)
  return { pack, isListed: pack !== null }
}

/** The pack that this site lists for a backbone; without a network, and none here, the bare model plays. */
async function packFrom(
  listed: readonly ListedPack[],
  fingerprint: string,
  signal: AbortSignal,
): Promise<PackFile | null> {
  const pack = listedFor(listed, fingerprint)
  if (!pack) return null
  try {
    return await fetchListedPack(pack, signal, tellDownload)
  } catch (thrown) {
    signal.throwIfAborted()
    if (failureOf(thrown, 'download-failed').code === 'download-failed') return null
    throw thrown
  }
}

/** The files of all models, and of the packs that play on them. */
function neededFiles(listed: readonly ListedPack[]): readonly ManifestFile[] {
  const { backbones } = useEngine.getState()
  const packs = backbones.flatMap(({ fingerprint }) => listedFor(listed, fingerprint)?.file ?? [])
  return [...backbones.flatMap(pageFiles), ...packs]
}

/** What packs are told by is known of a model that was brought once it has been read. */
async function rememberFingerprint(backbone: ServedBackbone, { fingerprint }: BackboneInfo): Promise<void> {
  if (!isOwn(backbone) || backbone.fingerprint === fingerprint) return
  const known = { ...backbone.own, fingerprint }
  await keepOwnModel(known).catch(() => undefined)
  useEngine.setState(({ backbones }) => ({
    backbones: backbones.map((one) => (one.id === backbone.id ? ownBackbone(known) : one)),
  }))
}

/** What was measured of a model holds on one graphics card, real or not. */
function deviceKey({ id }: ServedBackbone): string {
  const { vendor, architecture, description } = useEngine.getState().report ?? {}
  return [id, vendor, architecture, description].filter(Boolean).join(' · ')
}

/** What computes rightly does so with one driver and one version of the browser, as far as a page can tell them apart. */
function soundnessKey(): string {
  const { vendor, architecture, description } = useEngine.getState().report ?? {}
  return [vendor, architecture, description, navigator.userAgent].filter(Boolean).join(' · ')
}

/** Takes another model. */
export async function chooseBackbone(id: string): Promise<void> {
  changeSettings({ backbone: id })
  await retryEngine()
}

/** Takes another way of computing, and loads the model anew on it. */
export async function choosePath(path: PathChoice): Promise<void> {
  changeSettings({ path })
  await retryEngine()
}

/** Forgets what was measured of the chosen model, and measures it again. */
export async function measureAgain(): Promise<void> {
  const { backbone } = useEngine.getState()
  if (!backbone) return
  const { [deviceKey(backbone)]: _, ...rates } = useSettings.getState().rates
  changeSettings({ rates })
  await retryEngine()
}

/** The backbone's files; how they come is told in the state. */
async function fetchFiles(backbone: ServedBackbone, signal: AbortSignal): Promise<FetchedBackbone> {
  try {
    return await fetchBackbone(backbone, signal, tellDownload)
  } finally {
    await countKept(useEngine.getState().backbones)
  }
}

function tellDownload(status: DownloadStatus): void {
  useEngine.setState({ status: { stage: 'download', ...status } })
}

function loadPack(engine: EngineClient, params: LoadParams): Promise<BackboneInfo> {
  return engine.request('load', params, {
    onYield: ({ stage, doneBytes, totalBytes }) =>
      useEngine.setState({
        status: { stage, doneBytes, totalBytes, isFromDevice: true, bytesPerSecond: 0, trouble: null },
      }),
  })
}
