import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { openCheckpoints } from '../../../src/storage/checkpoints.ts'
import { openKeptDatabase } from '../../../src/storage/keptDatabase.ts'
import { openRunSteps, spreadSteps } from '../../../src/storage/runSteps.ts'
import type { RunSteps } from '../../../src/storage/runSteps.ts'

let folder = ''
let store: RunSteps

const pack = (text: string): Blob => new Blob([text])

beforeEach(({ task }) => {
  folder = `steps-${task.id}`
  store = openRunSteps(folder)
})
afterEach(async () => {
  vi.restoreAllMocks()
  const root = await navigator.storage.getDirectory()
  await root.removeEntry(folder, { recursive: true }).catch(() => undefined)
  indexedDB.deleteDatabase(folder)
})

test('the steps of a run are kept in order, each its own pack, apart from those of another', async () => {
  for (const step of [0, 100, 20]) await store.keep('run', step, pack(`at ${step}`))
  await store.keep('run.step-7', 5, pack('another run'))
  expect(await openRunSteps(folder).list('run')).toEqual([0, 20, 100])
  expect(await (await store.read('run', 20))?.text()).toBe('at 20')
  expect(await store.read('run', 21)).toBeUndefined()
  await store.keep('run', 20, pack('at 20, again'))
  expect(await (await store.read('run', 20))?.text()).toBe('at 20, again')
  expect(await store.bytes()).toBe('at 0at 100at 20, againanother run'.length)
})

test('what lies behind a step is forgotten, or all of a run', async () => {
  for (const step of [0, 20, 40]) await store.keep('run', step, pack('pack'))
  await store.keep('other', 40, pack('pack'))
  await store.cut('run', 20)
  expect(await store.list('run')).toEqual([0, 20])
  await store.remove('run')
  expect([await store.list('run'), await store.list('other')]).toEqual([[], [40]])
})

test('they lie beside checkpoints, and neither is taken for the other', async () => {
  const database = await openKeptDatabase(folder)
  const checkpoints = openCheckpoints(database, folder)
  await checkpoints.save('run', 20, pack('a checkpoint'))
  await store.keep('run', 20, pack('a pack'))
  expect([await store.bytes(), await checkpoints.bytes()]).toEqual([6, 12])
  await store.remove('run')
  expect(await (await checkpoints.read('run'))?.file.text()).toBe('a checkpoint')
  database.close()
})

test('of many steps the first and the last stay, the others as far apart as they lie', async () => {
  for (let step = 0; step <= 40; step++) await store.keep('run', step, pack('pack'))
  const steps = await store.list('run')
  expect([steps.length, steps[0], steps.at(-1)]).toEqual([16, 0, 40])
  const gaps = steps.slice(1).map((step, index) => step - steps[index]!)
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * 4)
})

test('what is too many is dropped where it lies closest', () => {
  expect(spreadSteps([0, 20, 30, 60, 80], 4)).toEqual([0, 30, 60, 80])
  expect(spreadSteps([0, 20, 40], 0)).toEqual([0, 40])
  expect(spreadSteps([0, 20, 40], 3)).toEqual([0, 20, 40])
})

test('a step for which there is no room leaves nothing behind', async () => {
  await store.keep('run', 0, pack('pack'))
  vi.spyOn(FileSystemWritableFileStream.prototype, 'close').mockRejectedValueOnce(
    new DOMException('', 'QuotaExceededError'),
  )
  await expect(store.keep('run', 20, pack('pack'))).rejects.toMatchObject({ code: 'storage-full' })
  expect(await store.list('run')).toEqual([0])
})
