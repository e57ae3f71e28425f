// Scope: document. The packs of the library, and which of them plays.
import { create } from 'zustand'

import { asHycoraError, HycoraError } from '../../src/core/errors.ts'
import type { KeptPack } from '../../src/storage/packLibrary.ts'
import { saveFile } from '../shared/saveFile.ts'
import { playPack, retryEngine, useEngine } from './engine.ts'
import { newId } from './newId.ts'
import { notify } from './notices.ts'
import { changeSettings, useSettings } from './settings.ts'
import { trainingStorage } from './trainingStorage.ts'

interface CompanyState {
  /** The packs that are kept here, the last added first. */
  readonly packs: readonly KeptPack[]
}

export const useCompany = create<CompanyState>()(() => ({ packs: [] }))

/** Reads what the library holds. */
export async function listCompanies(): Promise<void> {
  const storage = await trainingStorage()
  useCompany.setState({ packs: (await storage?.library.list()) ?? [] })
}

/**
 * Keeps a pack in the library.
 *
 * @throws HycoraError `format-invalid`, `storage-full`, `storage-corrupt`.
 */
export async function keepPack(name: string, file: Blob, backboneId: string | null): Promise<KeptPack> {
  const storage = await trainingStorage()
  if (!storage) throw new HycoraError('storage-corrupt', 'the browser lets this page keep nothing')
  const kept = await storage.library.add({ id: newId(), name, backboneId, file })
  await listCompanies()
  return kept
}

/** Lets a pack of the library play from now on, or the company that came with the model. */
export async function chooseCompany(id: string | null): Promise<void> {
  const pack = useCompany.getState().packs.find((one) => one.id === id)
  const { backbones } = useEngine.getState()
  const isServed = backbones.some((one) => one.id === pack?.backboneId)
  changeSettings({ company: pack?.id ?? null, ...(pack && isServed && { backbone: pack.backboneId }) })
  await retryEngine()
}

/** Lets a pack play that is not in the library, until the page closes. */
export async function invitePack(name: string, file: Blob): Promise<void> {
  changeSettings({ company: null })
  await playPack({ name, file })
}

/** Hands a kept pack to the visitor as a file; what is wrong with it is told at the foot of the page. */
export async function saveKeptPack(pack: KeptPack): Promise<void> {
  try {
    const storage = await trainingStorage()
    const file = await storage?.library.read(pack.id)
    if (file) saveFile(packFileName(pack.name), file)
  } catch (thrown) {
    notify(`${pack.name} cannot be saved: ${asHycoraError(thrown, 'storage-corrupt').message}.`)
  }
}

/** The name of a pack's file. */
export function packFileName(name: string): string {
  return `${name}.hycora.safetensors`
}

/** Removes a pack; where it plays, the company that came with the model takes its place. */
export async function removePack(pack: KeptPack): Promise<void> {
  const storage = await trainingStorage()
  await storage?.library.remove(pack.id)
  await listCompanies()
  notify(`${pack.name} is removed from this device.`)
  if (useSettings.getState().company === pack.id) await chooseCompany(null)
}
