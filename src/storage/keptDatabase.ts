import { settled } from './database.ts'

/** Its name on people's machines, from builds that kept training runs alone: another name would be another, empty database. */
export const KEPT_DATABASE = 'hycora-training'

/** What it keeps: packs, cards and the run; the bytes of checkpoints lie beside it in the origin's private file system. */
export const KEPT_STORES = {
  runs: 'runs',
  progress: 'progress',
  pointers: 'pointers',
  packs: 'packs',
  packFiles: 'pack-files',
  cards: 'cards',
} as const

/**
 * Opens the database that packs, cards and the run share.
 *
 * @throws HycoraError `storage-corrupt` when the browser refuses to open it.
 */
export async function openKeptDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 2)
  request.addEventListener('upgradeneeded', ({ oldVersion }) => {
    const { result } = request
    if (oldVersion < 1) {
      result.createObjectStore(KEPT_STORES.runs, { keyPath: 'id' })
      result.createObjectStore(KEPT_STORES.progress, { keyPath: 'run' })
      result.createObjectStore(KEPT_STORES.pointers, { keyPath: 'run' })
      result.createObjectStore(KEPT_STORES.packs, { keyPath: 'id' })
      result.createObjectStore(KEPT_STORES.packFiles)
    }
    result.createObjectStore(KEPT_STORES.cards, { keyPath: 'id' })
  })
  const database = await settled(request)
  // Another tab with a newer build wants to upgrade the database: let it.
  database.addEventListener('versionchange', () => database.close())
  return database
}
