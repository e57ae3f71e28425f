// Scope: live. What this page keeps on the device: how much of each kind, one file of it all, and its end.
import type { BackupArrival } from '../../../src/exchange/arrival.ts'
import { create } from 'zustand'
import { failureOf } from '../../../src/core/errors.ts'

import type { BackupStores, RestorePlan } from '../../../src/storage/backup.ts'
import { clearDatabase } from '../../../src/storage/database.ts'
import type { ServedBackbone } from '../../../src/storage/manifest.ts'
import { COPIES } from '../../../src/storage/modelCopy.ts'
import { keepStorage, storageUse } from '../../../src/storage/persistence.ts'
import { saveFile } from '../page/saveFile.ts'
import { chatLog, listChats } from '../chat/chats.ts'
import { connectedEngine } from '../engine/engine.ts'
import { listGuests, useGuests } from '../company/guests.ts'
import { countKept, useModelFiles } from '../engine/modelFiles.ts'
import { laterPart } from '../page/laterPart.ts'
import { newId } from '../page/newId.ts'
import { notify } from '../page/notices.ts'
import { addedBy } from '../page/personas.ts'
import { changeSettings, useSettings } from '../page/settings.ts'
import { neededKeeping, keeping } from '../company/keeping.ts'
import { detailText } from '../../words/details.ts'
import { storeText } from '../../words/store.ts'

/** Bytes on the disk by kind, and what the browser says of them. */
export interface Household {
  readonly models: number
  readonly characters: number
  readonly chats: number
  readonly rehearsal: number
  /** Whether the browser has promised not to clear them when room runs short. */
  readonly isKept: boolean
  readonly freeBytes: number
}

interface HousekeepingState {
  readonly household: Household | null
  readonly isPacking: boolean
}

export const useHousekeeping = create<HousekeepingState>()(() => ({ household: null, isPacking: false }))

/** Counts what lies here; where that cannot be read, as when the page closes meanwhile, what was counted before stays. */
export async function countHousehold(backbones: readonly ServedBackbone[]): Promise<void> {
  const household = await householdOf(backbones).catch(() => null)
  if (household) useHousekeeping.setState({ household })
}

async function householdOf(backbones: readonly ServedBackbone[]): Promise<Household> {
  await countKept(backbones)
  const models = Object.values(useModelFiles.getState().kept).reduce((sum, size) => sum + size, 0)
  const { packs, cards } = useGuests.getState()
  const { usedBytes, quotaBytes, kept } = await storageUse()
  return {
    models,
    characters:
      packs.reduce((sum, pack) => sum + pack.bytes + sizeOf(pack.portraits.values()), 0) +
      cards.reduce((sum, card) => sum + JSON.stringify(card.original).length + sizeOf(picturesOf(card)), 0),
    chats: await chatBytes(),
    rehearsal: await rehearsalBytes(),
    isKept: kept,
    freeBytes: Math.max(0, quotaBytes - usedBytes),
  }
}

function picturesOf(card: { readonly portrait: Blob | null; readonly assets: ReadonlyMap<string, Blob> }) {
  return [...card.assets.values(), ...(card.portrait ? [card.portrait] : [])]
}

function sizeOf(files: Iterable<Blob>): number {
  return [...files].reduce((sum, { size }) => sum + size, 0)
}

async function chatBytes(): Promise<number> {
  const { writeChatEvents } = await laterPart(() => import('../../../src/storage/chatEvents.ts'))
  let sum = 0
  for (const { id } of await chatLog().list()) sum += writeChatEvents(await chatLog().events(id)).length
  return sum
}

async function rehearsalBytes(): Promise<number> {
  const storage = await keeping()
  if (!storage) return 0
  const kept = await storage.runs.read()
  const { start } = kept?.run ?? {}
  const { pack, best } = kept?.progress?.result ?? {}
  const results = (start?.file.size ?? 0) + (pack?.size ?? 0) + (best?.size ?? 0)
  return (await storage.checkpoints.bytes()) + (await storage.steps.bytes()) + results
}

/** Asks the browser to keep what is here when room runs short. */
export async function askToKeep(backbones: readonly ServedBackbone[]): Promise<void> {
  const isKept = await keepStorage().catch(() => false)
  if (!isKept) notify(storeText('storage.noPromise'))
  await countHousehold(backbones)
}

/** What reads and writes backups, which few visits need. */
const backups = () => laterPart(() => import('../../../src/storage/backup.ts'))

async function stores(): Promise<BackupStores> {
  const storage = await neededKeeping()
  return { log: chatLog(), library: storage.library, cards: storage.cards }
}

/** Hands everything that is kept here, but for models and rehearsals, to the visitor as one file. */
export async function saveBackup(): Promise<void> {
  useHousekeeping.setState({ isPacking: true })
  try {
    const { writeBackupFile } = await backups()
    const now = Date.now()
    const file = await writeBackupFile(await stores(), useSettings.getState(), now)
    saveFile(`HyCoRA ${new Date(now).toISOString().slice(0, 10)}.zip`, file)
  } catch (thrown) {
    notify(storeText('backup.failed', { reason: detailText(failureOf(thrown, 'storage-full').message) }))
  } finally {
    useHousekeeping.setState({ isPacking: false })
  }
}

/** What putting a backup back would do. @throws HycoraError `format-invalid`, as `laterPart`. */
export async function planOf(arrival: BackupArrival): Promise<RestorePlan> {
  const { planRestore } = await backups()
  return planRestore(arrival.parts, await stores(), newId)
}

/** Puts back what is missing; everything that is here stays. */
export async function restore(arrival: BackupArrival): Promise<void> {
  const { restoreBackup } = await backups()
  const plan = await planOf(arrival)
  await restoreBackup(plan, await stores())
  if (plan.settings) changeSettings(addedBy(plan.settings, useSettings.getState()))
  await Promise.all([listChats(), listGuests()])
  notify(storeText('backup.done'))
}

/** Sends everybody away who was brought in or taught, for good. */
export async function eraseCharacters(): Promise<void> {
  const storage = await keeping()
  const { packs, cards } = useGuests.getState()
  for (const { id } of packs) await storage?.library.remove(id)
  for (const { id } of cards) await storage?.cards.remove(id)
  await listGuests()
}

/** Removes all that this page keeps on this device, and begins anew. */
export async function eraseEverything(): Promise<void> {
  connectedEngine()?.close()
  const databases = await indexedDB.databases()
  for (const { name } of databases) if (name?.startsWith('hycora-')) await clearDatabase(name)
  if ('serviceWorker' in navigator) {
    const kept = await navigator.serviceWorker.getRegistrations()
    await Promise.all(kept.map((registration) => registration.unregister()))
  }
  for (const name of await caches.keys()) if (name.startsWith('hycora-')) await caches.delete(name)
  const root = await navigator.storage.getDirectory()
  for (const name of ['checkpoints', COPIES]) {
    await root.removeEntry(name, { recursive: true }).catch(() => undefined)
  }
  for (const key of Object.keys(localStorage)) if (key.startsWith('hycora-')) localStorage.removeItem(key)
  location.hash = ''
  location.reload()
}
