import { hexSha256 } from '../core/bytes.ts'
import { asHycoraError, HycoraError } from '../core/errors.ts'

/** The result of a request to IndexedDB. @throws HycoraError `storage-full`, `storage-corrupt`. */
export function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(storageError(request.error)))
  })
}

/** Resolves when a transaction is on the disk. @throws HycoraError `storage-full`, `storage-corrupt`. */
export function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () => reject(storageError(transaction.error)))
  })
}

/** A failure of the browser's storage in our words; Chromium's quota error has an empty message. */
export function storageError(thrown: unknown): HycoraError {
  if (thrown instanceof DOMException && thrown.name === 'QuotaExceededError') {
    return new HycoraError('storage-full', 'the browser has no room left for this page', { cause: thrown })
  }
  return asHycoraError(thrown ?? new Error('the browser gave no reason'), 'storage-corrupt')
}

/**
 * Empties a database of this page, also while it is open: deleting it would wait for every tab to let go of it.
 *
 * @throws HycoraError `storage-corrupt`.
 */
export async function clearDatabase(name: string): Promise<void> {
  const database = await settled(indexedDB.open(name))
  const stores = [...database.objectStoreNames]
  if (stores.length > 0) {
    const transaction = database.transaction(stores, 'readwrite', { durability: 'strict' })
    for (const store of stores) transaction.objectStore(store).clear()
    await committed(transaction)
  }
  database.close()
}

/** SHA-256 of a file's content, lower-case hexadecimal. */
export async function sha256(content: Blob | Uint8Array): Promise<string> {
  return hexSha256(content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content)
}
