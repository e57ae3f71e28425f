import type { JsonRecord } from '../core/json.ts'
import { committed, settled } from './database.ts'
import { KEPT_STORES } from './keptDatabase.ts'

/** Somebody who plays by a card's text alone. */
export interface KeptCard {
  readonly version: 1
  readonly id: string
  readonly name: string
  /** The `data` of a Character Card as it came, other programs' fields and all; read it with `readCard`. */
  readonly card: JsonRecord
  /** The whole object that the card came in, and the files that came with it, so that both can go out again. */
  readonly original: JsonRecord
  readonly assets: ReadonlyMap<string, Blob>
  /** The picture that came with the card. */
  readonly portrait: Blob | null
  /** The name of the file that it came in. */
  readonly fileName: string
  /** Milliseconds since 1970. */
  readonly addedAt: number
}

/** The cards that were brought in. */
export interface CardLibrary {
  /** The last added first. */
  list(): Promise<readonly KeptCard[]>
  /** Keeps a card; one of the same id gives its place up. @throws HycoraError `storage-full`, `storage-corrupt`. */
  add(card: KeptCard): Promise<void>
  remove(id: string): Promise<void>
}

/** Opens the cards. */
export function openCardLibrary(database: IDBDatabase): CardLibrary {
  const change = async (write: (cards: IDBObjectStore) => void): Promise<void> => {
    const transaction = database.transaction(KEPT_STORES.cards, 'readwrite', { durability: 'strict' })
    write(transaction.objectStore(KEPT_STORES.cards))
    await committed(transaction)
  }
  return {
    async list() {
      const store = database.transaction(KEPT_STORES.cards).objectStore(KEPT_STORES.cards)
      // What lies in this store was written by `add`; a newer build's cards are left alone.
      const cards = (await settled(store.getAll())) as KeptCard[]
      return cards.filter(({ version }) => version === 1).toSorted((a, b) => b.addedAt - a.addedAt)
    },
    add: (card) => change((cards) => cards.put(card)),
    remove: (id) => change((cards) => cards.delete(id)),
  }
}
