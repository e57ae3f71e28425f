import { check } from '../core/errors.ts'
import { blobSource } from '../formats/blobSource.ts'
import { readPack } from '../formats/pack.ts'
import { roleFacts } from '../formats/packFacts.ts'
import type { PackFacts, RoleFacts } from '../formats/packFacts.ts'
import type { JsonRecord } from '../core/json.ts'
import { committed, settled, sha256 } from './database.ts'
import { KEPT_STORES } from './keptDatabase.ts'

/** How somebody came to be here. */
export type Origin =
  | { readonly kind: 'taught' | 'blended' }
  | { readonly kind: 'brought'; readonly fileName: string }

/** A pack of the library, without its bytes. */
export interface KeptPack extends PackFacts {
  readonly version: 1
  readonly id: string
  /** What it is called in lists. */
  readonly name: string
  /** The served backbone that it was trained on, by its id in the list; null where that is not known. */
  readonly backboneId: string | null
  /** The roles that stand in the cast; the others stay in the file. */
  readonly cast: readonly string[]
  readonly origin: Origin
  /** Pictures that came beside the pack, by role. */
  readonly portraits: ReadonlyMap<string, Blob>
  /** The cards that were changed here, whole, by role; left out where none was. The file stays as it came. */
  readonly cards?: ReadonlyMap<string, JsonRecord>
  /** Milliseconds since 1970. */
  readonly addedAt: number
}

/** A pack as the first builds kept it, which knew one company at a time, and of its roles their vectors alone. */
type FirstKeptPack = Omit<KeptPack, 'cast' | 'origin' | 'portraits' | 'provenance' | 'roles'> & {
  readonly roles: readonly Pick<RoleFacts, 'name' | 'vector'>[]
}

/** What may lie in the store; both call themselves version 1. */
type StoredPack = KeptPack | FirstKeptPack

/** A pack on its way into the library. */
export type NewPack = Pick<KeptPack, 'id' | 'name' | 'backboneId' | 'cast' | 'origin'> &
  Partial<Pick<KeptPack, 'portraits' | 'cards' | 'addedAt'>> & { readonly file: Blob }

/** The packs that were trained here, or brought in. */
export interface PackLibrary {
  /** The last added first. */
  list(): Promise<readonly KeptPack[]>
  /**
   * Checks a pack whole and keeps it; one of the same id gives its place up.
   *
   * @throws HycoraError `format-invalid`, `format-unsupported`, `storage-full`, `storage-corrupt`.
   */
  add(pack: NewPack): Promise<KeptPack>
  /** Keeps what is said of a pack beside its file, which stays as it is. @throws HycoraError `storage-full`, `storage-corrupt`. */
  change(pack: KeptPack): Promise<void>
  /** The bytes of a pack. @throws HycoraError `storage-corrupt` when it is not here or not what was kept. */
  read(id: string): Promise<Blob>
  remove(id: string): Promise<void>
}

/** Opens the library. */
export function openPackLibrary(database: IDBDatabase): PackLibrary {
  const stores = [KEPT_STORES.packs, KEPT_STORES.packFiles]
  const change = async (write: (packs: IDBObjectStore, files: IDBObjectStore) => void): Promise<void> => {
    const transaction = database.transaction(stores, 'readwrite', { durability: 'strict' })
    write(transaction.objectStore(KEPT_STORES.packs), transaction.objectStore(KEPT_STORES.packFiles))
    await committed(transaction)
  }
  const storeOf = (name: string): IDBObjectStore => database.transaction(name).objectStore(name)
  return {
    async list() {
      // What lies in this store was written by `add`; a newer build's packs are left alone.
      const packs = (await settled(storeOf(KEPT_STORES.packs).getAll())) as StoredPack[]
      return packs
        .filter(({ version }) => version === 1)
        .map(packFrom)
        .toSorted((a, b) => b.addedAt - a.addedAt)
    },
    async add({ file, portraits = new Map(), addedAt = Date.now(), ...pack }) {
      const facts = await inspectPack(pack.name, file)
      const kept: KeptPack = { version: 1, ...pack, ...facts, portraits, addedAt }
      await change((packs, files) => {
        packs.put(kept)
        files.put(file, kept.id)
      })
      return kept
    },
    change(pack) {
      return change((packs) => packs.put(pack))
    },
    async read(id) {
      const kept = (await settled(storeOf(KEPT_STORES.packs).get(id))) as StoredPack | undefined
      const file: unknown = await settled(storeOf(KEPT_STORES.packFiles).get(id))
      check(kept && file instanceof Blob, 'storage-corrupt', () => 'the pack is no longer on this device')
      check(
        (await sha256(file)) === kept.sha256,
        'storage-corrupt',
        () => `${kept.name} is no longer what was kept: its SHA-256 has changed`,
      )
      return file
    },
    remove(id) {
      return change((packs, files) => {
        packs.delete(id)
        files.delete(id)
      })
    },
  }
}

/** All roles of a pack of the first builds stand in the cast: it was taught here, and they were the company. */
function packFrom(stored: StoredPack): KeptPack {
  if ('cast' in stored) return stored
  return {
    ...stored,
    roles: stored.roles.map((role) => ({ ...role, system: null, card: null, blend: null })),
    cast: stored.roles.map(({ name }) => name),
    origin: { kind: 'taught' },
    portraits: new Map(),
    provenance: {},
  }
}

/** Reads and checks a pack whole. @throws HycoraError `format-invalid`, `format-unsupported`. */
export async function inspectPack(name: string, file: Blob): Promise<PackFacts> {
  const pack = await readPack(blobSource(name, file))
  return {
    backbone: { name: pack.backbone.name, fingerprint: pack.backbone.fingerprint },
    roles: roleFacts(pack),
    provenance: pack.provenance,
    bytes: file.size,
    sha256: await sha256(file),
  }
}
