import { check, HycoraError } from '../core/errors.ts'
import { committed, settled, sha256, storageError } from './database.ts'
import { KEPT_STORES } from './keptDatabase.ts'

/*
 * Checkpoints of training runs. Bytes go into slot file A or B of the origin's private file system, are read back and
 * compared, and only then does one strictly durable IndexedDB transaction point to them. The slot of the newest whole
 * checkpoint is never written, so whatever happens in the middle of a save, that one is still there.
 */

/** One slot's content as it was when it was committed. */
interface SlotContent {
  readonly slot: 'a' | 'b'
  readonly length: number
  readonly sha256: string
  readonly step: number
}

/** What IndexedDB says of a run's slots. */
interface Pointer extends SlotContent {
  readonly schema: 1
  readonly run: string
  /** The checkpoint before, whole until the next save begins. */
  readonly previous: SlotContent | null
}

/** A checkpoint that has been read and compared. */
export interface KeptCheckpoint {
  readonly step: number
  readonly file: Blob
  /** The newest one was damaged, and this is the one before it. */
  readonly isOlder: boolean
}

/** The checkpoints of this device. */
export interface CheckpointStore {
  /**
   * Keeps a checkpoint; resolves when it would survive the browser.
   *
   * @throws HycoraError `storage-full` or `storage-corrupt`; the checkpoint before is still there.
   */
  save(run: string, step: number, file: Blob): Promise<void>
  /**
   * The newest whole checkpoint of a run; undefined where none was ever kept.
   *
   * @throws HycoraError `storage-corrupt` when there are some and all are damaged.
   */
  read(run: string): Promise<KeptCheckpoint | undefined>
  /** The step of the newest checkpoint, without reading it; undefined where there is none. */
  stepOf(run: string): Promise<number | undefined>
  remove(run: string): Promise<void>
  /** What all checkpoints take up. */
  bytes(): Promise<number>
}

/** Opens the checkpoints; `folder` is the directory of the slots. */
export function openCheckpoints(database: IDBDatabase, folder = 'checkpoints'): CheckpointStore {
  let saving: Promise<unknown> = Promise.resolve()
  return {
    async save(run, step, file) {
      // Two saves at once would choose the same slot.
      const turn = saving.then(() => saveSlot(database, folder, run, step, file))
      saving = turn.catch(() => undefined)
      try {
        await turn
      } catch (thrown) {
        throw storageError(thrown)
      }
    },
    async read(run) {
      const pointer = await readPointer(database, run)
      if (!pointer) return undefined
      const whole = await newestWhole(folder, pointer)
      if (whole) return { step: whole.content.step, file: whole.file, isOlder: whole.content !== pointer }
      throw new HycoraError(
        'storage-corrupt',
        `the checkpoint of step ${pointer.step} is damaged, and so is the one before it`,
      )
    },
    async stepOf(run) {
      return (await readPointer(database, run))?.step
    },
    async remove(run) {
      await commit(database, (pointers) => pointers.delete(run))
      const directory = await openFolder(folder)
      for (const slot of ['a', 'b'] as const) {
        // A slot that was never written is not there to remove.
        await directory.removeEntry(slotName(run, slot)).catch(() => undefined)
      }
    },
    async bytes() {
      const store = database.transaction(KEPT_STORES.pointers).objectStore(KEPT_STORES.pointers)
      const pointers = (await settled(store.getAll())) as Pointer[]
      return pointers.reduce((sum, { length, previous }) => sum + length + (previous?.length ?? 0), 0)
    },
  }
}

function readPointer(database: IDBDatabase, run: string): Promise<Pointer | undefined> {
  const pointers = database.transaction(KEPT_STORES.pointers).objectStore(KEPT_STORES.pointers)
  // What lies in this store was written by `commit`.
  return settled(pointers.get(run)) as Promise<Pointer | undefined>
}

async function commit(database: IDBDatabase, change: (pointers: IDBObjectStore) => void): Promise<void> {
  const transaction = database.transaction(KEPT_STORES.pointers, 'readwrite', { durability: 'strict' })
  change(transaction.objectStore(KEPT_STORES.pointers))
  await committed(transaction)
}

/** Writes a checkpoint into the slot that the last whole one is not in, reads it again, and only then names it. */
async function saveSlot(
  database: IDBDatabase,
  folder: string,
  run: string,
  step: number,
  file: Blob,
): Promise<void> {
  const current = await readPointer(database, run)
  // Where no slot can be read, the one that the pointer names is still the likelier to come back.
  const kept = (current && (await newestWhole(folder, current))?.content) ?? current
  const slot = kept?.slot === 'a' ? 'b' : 'a'
  const content: SlotContent = { slot, length: file.size, sha256: await sha256(file), step }
  await writeSlot(folder, slotName(run, slot), file)
  check(
    await readSlot(folder, run, content),
    'storage-corrupt',
    () => `the checkpoint of step ${step} did not come back from the disk as it was written`,
  )
  const previous = kept
    ? { slot: kept.slot, length: kept.length, sha256: kept.sha256, step: kept.step }
    : null
  const pointer: Pointer = { schema: 1, run, ...content, previous }
  await commit(database, (pointers) => pointers.put(pointer))
}

function slotName(run: string, slot: 'a' | 'b'): string {
  return `${run}.${slot}`
}

async function openFolder(folder: string): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory()
  return root.getDirectoryHandle(folder, { create: true })
}

async function writeSlot(folder: string, name: string, content: Blob): Promise<void> {
  const directory = await openFolder(folder)
  const handle = await directory.getFileHandle(name, { create: true })
  const writable = await handle.createWritable()
  try {
    await writable.write(content)
    await writable.close()
  } catch (thrown) {
    // What was half written takes room until it is given up; a stream that failed has given it up already.
    await writable.abort().catch(() => undefined)
    throw thrown
  }
}

/** The newest checkpoint of a run that is whole. */
async function newestWhole(
  folder: string,
  pointer: Pointer,
): Promise<{ readonly content: SlotContent; readonly file: Blob } | undefined> {
  for (const content of [pointer, pointer.previous]) {
    const file = content && (await readSlot(folder, pointer.run, content))
    if (file) return { content, file }
  }
  return undefined
}

/** A slot's content, if it is exactly what was committed; a copy, which a later save into the slot leaves alone. */
async function readSlot(folder: string, run: string, content: SlotContent): Promise<Blob | undefined> {
  try {
    const directory = await openFolder(folder)
    const handle = await directory.getFileHandle(slotName(run, content.slot))
    const file = await handle.getFile()
    if (file.size !== content.length) return undefined
    const copy = new Blob([await file.arrayBuffer()])
    return (await sha256(copy)) === content.sha256 ? copy : undefined
  } catch {
    // A file that cannot be read is as good as a damaged one.
    return undefined
  }
}
