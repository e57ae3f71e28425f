import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { HycoraError } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { openCheckpoints } from '../../../src/storage/checkpoints.ts'
import type { CheckpointStore, KeptCheckpoint } from '../../../src/storage/checkpoints.ts'
import { sha256 } from '../../../src/storage/database.ts'
import { openKeptDatabase } from '../../../src/storage/keptDatabase.ts'

const random = new Random(20261123)
const contentOf = (length: number): Blob =>
  new Blob([Uint8Array.from({ length }, () => random.nextBelow(256))])

let name = ''
let database: IDBDatabase
let store: CheckpointStore

const slots = async (): Promise<FileSystemDirectoryHandle> => {
  const root = await navigator.storage.getDirectory()
  return root.getDirectoryHandle(name, { create: true })
}
/** What lies in a slot, or null. */
const slot = async (file: string): Promise<string | null> => {
  const handle = await (await slots()).getFileHandle(file).catch(() => null)
  return handle ? digest(await handle.getFile()) : null
}
const digest = async (blob: Blob | undefined): Promise<string> => (blob ? sha256(blob) : 'nothing')
const overwrite = async (file: string, content: Blob): Promise<void> => {
  const handle = await (await slots()).getFileHandle(file)
  const writable = await handle.createWritable()
  await writable.write(content)
  await writable.close()
}
const failureOf = (work: Promise<unknown>): Promise<HycoraError> =>
  work.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: HycoraError) => thrown,
  )
const expectKept = async (kept: KeptCheckpoint | undefined, step: number, file: Blob): Promise<void> => {
  expect(kept?.step).toBe(step)
  expect(await digest(kept?.file)).toBe(await digest(file))
}

beforeEach(async ({ task }) => {
  name = `test-${task.id}`
  database = await openKeptDatabase(name)
  store = openCheckpoints(database, name)
})
afterEach(async () => {
  vi.restoreAllMocks()
  database.close()
  indexedDB.deleteDatabase(name)
  const root = await navigator.storage.getDirectory()
  await root.removeEntry(name, { recursive: true }).catch(() => undefined)
})

test('a run without a checkpoint has none', async () => {
  expect(await store.read('run')).toBeUndefined()
  expect(await store.stepOf('run')).toBeUndefined()
})

test('a checkpoint is there after the page was closed', async () => {
  const file = contentOf(70_001)
  await store.save('run', 25, file)
  database.close()
  database = await openKeptDatabase(name)
  await expectKept(await openCheckpoints(database, name).read('run'), 25, file)
})

test('a save never writes the slot of the newest checkpoint', async () => {
  const files = [contentOf(5000), contentOf(6000), contentOf(4000)]
  await store.save('run', 1, files[0]!)
  expect([await slot('run.a'), await slot('run.b')]).toEqual([await digest(files[0]), null])
  await store.save('run', 2, files[1]!)
  expect([await slot('run.a'), await slot('run.b')]).toEqual([await digest(files[0]), await digest(files[1])])
  await store.save('run', 3, files[2]!)
  expect([await slot('run.a'), await slot('run.b')]).toEqual([await digest(files[2]), await digest(files[1])])
  await expectKept(await store.read('run'), 3, files[2]!)
})

test('saves asked for at once are made one after the other', async () => {
  const files = [contentOf(900), contentOf(901), contentOf(902)]
  await Promise.all(files.map((file, index) => store.save('run', index + 1, file)))
  await expectKept(await store.read('run'), 3, files[2]!)
})

test('a damaged slot gives the checkpoint before it', async () => {
  const [first, second] = [contentOf(3000), contentOf(3000)]
  await store.save('run', 10, first)
  await store.save('run', 20, second)
  await overwrite('run.b', contentOf(3000))
  const kept = await store.read('run')
  await expectKept(kept, 10, first)
  expect(kept?.isOlder).toBe(true)
})

test('a slot cut short gives the checkpoint before it', async () => {
  const first = contentOf(3000)
  await store.save('run', 10, first)
  await store.save('run', 20, contentOf(3000))
  await overwrite('run.b', contentOf(100))
  await expectKept(await store.read('run'), 10, first)
})

test('a save behind a damaged checkpoint leaves the whole one before it alone', async () => {
  const [first, third] = [contentOf(3000), contentOf(3100)]
  await store.save('run', 10, first)
  await store.save('run', 20, contentOf(3000))
  await overwrite('run.b', contentOf(3000))
  await store.save('run', 30, third)
  expect([await slot('run.a'), await slot('run.b')]).toEqual([await digest(first), await digest(third)])
  await expectKept(await store.read('run'), 30, third)
  await overwrite('run.b', contentOf(3100))
  await expectKept(await store.read('run'), 10, first)
})

test('two damaged slots are said to be damaged', async () => {
  await store.save('run', 10, contentOf(300))
  await store.save('run', 20, contentOf(300))
  await overwrite('run.a', contentOf(300))
  await overwrite('run.b', contentOf(300))
  expect(await failureOf(store.read('run'))).toMatchObject({ code: 'storage-corrupt' })
})

test('a disk that is full keeps the last checkpoint, and the next save goes on', async () => {
  const [first, second] = [contentOf(2000), contentOf(2000)]
  await store.save('run', 10, first)
  vi.spyOn(FileSystemWritableFileStream.prototype, 'close').mockRejectedValueOnce(
    new DOMException('', 'QuotaExceededError'),
  )
  expect(await failureOf(store.save('run', 20, second))).toMatchObject({ code: 'storage-full' })
  await expectKept(await store.read('run'), 10, first)
  await store.save('run', 30, second)
  await expectKept(await store.read('run'), 30, second)
})

test('what did not come back as it was written is not pointed to', async () => {
  const first = contentOf(2000)
  await store.save('run', 10, first)
  const whole = await (await slots()).getFileHandle('run.a')
  vi.spyOn(FileSystemFileHandle.prototype, 'getFile')
    .mockResolvedValueOnce(await whole.getFile())
    .mockResolvedValueOnce(new File([contentOf(2000)], 'b'))
  expect(await failureOf(store.save('run', 20, contentOf(2000)))).toMatchObject({ code: 'storage-corrupt' })
  await expectKept(await store.read('run'), 10, first)
})

test('a run that is removed leaves nothing', async () => {
  await store.save('run', 10, contentOf(200))
  await store.save('other', 5, contentOf(200))
  await store.remove('run')
  expect(await store.read('run')).toBeUndefined()
  expect(await slot('run.a')).toBeNull()
  expect(await store.stepOf('other')).toBe(5)
})
