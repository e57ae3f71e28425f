import { settled } from './database.ts'

/** What IndexedDB keeps of training and of whoever joined the cast; the bytes of checkpoints lie beside it in the origin's private file system. */
export const TRAINING_STORES = {
  runs: 'runs',
  progress: 'progress',
  pointers: 'pointers',
  packs: 'packs',
  packFiles: 'pack-files',
  cards: 'cards',
} as const

/**
 * Opens the database that runs, checkpoints, kept packs and cards share.
 *
 * @throws HycoraError `storage-corrupt` when the browser refuses to open it.
 */
export async function openTrainingDatabase(name = 'hycora-training'): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 2)
  request.addEventListener('upgradeneeded', ({ oldVersion }) => {
    const { result } = request
    if (oldVersion < 1) {
      result.createObjectStore(TRAINING_STORES.runs, { keyPath: 'id' })
      result.createObjectStore(TRAINING_STORES.progress, { keyPath: 'run' })
      result.createObjectStore(TRAINING_STORES.pointers, { keyPath: 'run' })
      result.createObjectStore(TRAINING_STORES.packs, { keyPath: 'id' })
      result.createObjectStore(TRAINING_STORES.packFiles)
    }
    result.createObjectStore(TRAINING_STORES.cards, { keyPath: 'id' })
  })
  const database = await settled(request)
  // Another tab with a newer build wants to upgrade the database: let it.
  database.addEventListener('versionchange', () => database.close())
  return database
}
