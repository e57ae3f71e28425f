import { check } from '../core/errors.ts'
import { blobSource } from '../formats/blobSource.ts'
import { readPack } from '../formats/pack.ts'
import { committed, settled, sha256 } from './database.ts'
import { TRAINING_STORES } from './trainingDatabase.ts'

/** What a pack says of itself, checked. */
export interface PackFacts {
  readonly backbone: { readonly name: string; readonly fingerprint: string }
  /** In the order of the pack; `vector` is the role's own, empty where it has none. */
  readonly roles: readonly { readonly name: string; readonly vector: Float32Array }[]
  readonly bytes: number
  /** Of the whole file, lower-case hexadecimal. */
  readonly sha256: string
}

/** A pack of the library, without its bytes. */
export interface KeptPack extends PackFacts {
  readonly version: 1
  readonly id: string
  /** What it is called in lists. */
  readonly name: string
  /** The served backbone that it was trained on, by its id in the list; null where that is not known. */
  readonly backboneId: string | null
  /** Milliseconds since 1970. */
  readonly addedAt: number
}

/** The packs that were trained here, or brought in. */
export interface PackLibrary {
  /** The last added first. */
  list(): Promise<readonly KeptPack[]>
  /**
   * Checks a pack whole and keeps it.
   *
   * @throws HycoraError `format-invalid`, `format-unsupported`, `storage-full`, `storage-corrupt`.
   */
  add(
    pack: Pick<KeptPack, 'id' | 'name' | 'backboneId'> & { readonly file: Blob; readonly addedAt?: number },
  ): Promise<KeptPack>
  /** The bytes of a pack. @throws HycoraError `storage-corrupt` when it is not here or not what was kept. */
  read(id: string): Promise<Blob>
  remove(id: string): Promise<void>
}

/** Opens the library. */
export function openPackLibrary(database: IDBDatabase): PackLibrary {
  const stores = [TRAINING_STORES.packs, TRAINING_STORES.packFiles]
  const change = async (write: (packs: IDBObjectStore, files: IDBObjectStore) => void): Promise<void> => {
    const transaction = database.transaction(stores, 'readwrite', { durability: 'strict' })
    write(transaction.objectStore(TRAINING_STORES.packs), transaction.objectStore(TRAINING_STORES.packFiles))
    await committed(transaction)
  }
  const storeOf = (name: string): IDBObjectStore => database.transaction(name).objectStore(name)
  return {
    async list() {
      // What lies in this store was written by `add`; a newer build's packs are left alone.
      const packs = (await settled(storeOf(TRAINING_STORES.packs).getAll())) as KeptPack[]
      return packs.filter(({ version }) => version === 1).toSorted((a, b) => b.addedAt - a.addedAt)
    },
    async add({ id, name, backboneId, file, addedAt = Date.now() }) {
      const facts = await inspectPack(name, file)
      const kept: KeptPack = {
        version: 1,
        id,
        name,
        backboneId,
        ...facts,
        addedAt,
      }
      await change((packs, files) => {
        packs.put(kept)
        files.put(file, id)
      })
      return kept
    },
    async read(id) {
      const kept = (await settled(storeOf(TRAINING_STORES.packs).get(id))) as KeptPack | undefined
      const file: unknown = await settled(storeOf(TRAINING_STORES.packFiles).get(id))
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

/** Reads and checks a pack whole. @throws HycoraError `format-invalid`, `format-unsupported`. */
export async function inspectPack(name: string, file: Blob): Promise<PackFacts> {
  const pack = await readPack(blobSource(name, file))
  const width = pack.config.roleEmbedding ?? 0
  const vectors = width > 0 ? pack.tensor('roles_emb.weight') : new Float32Array(0)
  return {
    backbone: { name: pack.backbone.name, fingerprint: pack.backbone.fingerprint },
    roles: pack.roles.map((role, index) => ({
      name: role.name,
      vector: vectors.slice(index * width, (index + 1) * width),
    })),
    bytes: file.size,
    sha256: await sha256(file),
  }
}
