import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { writePack } from '../../../src/formats/pack.ts'
import { openPackLibrary } from '../../../src/storage/packLibrary.ts'
import { openRuns } from '../../../src/storage/runs.ts'
import type { RunProgress, RunRecord } from '../../../src/storage/runs.ts'
import { openKeptDatabase } from '../../../src/storage/keptDatabase.ts'
import { tinyPack } from '../../support/tinyPack.ts'

let name = ''
const taught = { cast: [], origin: { kind: 'taught' as const } }

let database: IDBDatabase

beforeEach(async ({ task }) => {
  name = `test-${task.id}`
  database = await openKeptDatabase(name)
})
afterEach(() => {
  database.close()
  indexedDB.deleteDatabase(name)
})

const run = (id: string): RunRecord => ({
  version: 1,
  id,
  createdAt: 1,
  backbone: { name: 'tiny', id: 'tiny' },
  roles: ['Captain'],
  dialogues: [{ role: 'Captain', turns: [{ speaker: 'role', text: 'Aye.' }], split: 'train' }],
  config: { steps: 20, contrast: { form: 'off' } },
  start: { name: 'start', file: new Blob(['pack']) },
  trial: { role: 'Captain', prompts: ['Who are you?'], everySteps: 5 },
})
const progress = (id: string): RunProgress => ({
  version: 1,
  run: id,
  state: 'paused',
  history: {
    plan: null,
    points: [],
    heldOut: [{ step: 5, loss: 2, isBest: true }],
    answers: [{ step: 5, answers: ['Aye.'] }],
    map: {
      step: 5,
      names: ['Captain'],
      cosines: Float32Array.of(1),
      points: Float32Array.of(0, 0),
      alike: null,
      isShared: false,
    },
    notes: [],
    skipped: 0,
  },
  result: { pack: new Blob(['now']), best: null, step: 5 },
})

const packFile = async (): Promise<Blob> => new Blob([await writePack(tinyPack())])

describe('the kept run', () => {
  test('is there again with its dataset, configuration, start and history', async () => {
    const runs = openRuns(database)
    await runs.begin(run('one'))
    await runs.keep(progress('one'))
    database.close()
    database = await openKeptDatabase(name)
    const kept = await openRuns(database).read()
    expect(kept?.run).toMatchObject({ id: 'one', config: { steps: 20 }, roles: ['Captain'] })
    expect(await kept?.run.start?.file.text()).toBe('pack')
    expect(kept?.progress?.history).toEqual(progress('one').history)
    expect(await kept?.progress?.result?.pack.text()).toBe('now')
  })

  test('gives its place to the next', async () => {
    const runs = openRuns(database)
    await runs.begin(run('one'))
    await runs.keep(progress('one'))
    await runs.begin(run('two'))
    expect(await runs.read()).toMatchObject({ run: { id: 'two' }, progress: null })
    await runs.remove('two')
    expect(await runs.read()).toBeUndefined()
  })
})

describe('the library', () => {
  test('keeps a pack with its roles and their vectors, and gives the same bytes back', async () => {
    const library = openPackLibrary(database)
    const file = await packFile()
    const kept = await library.add({
      id: 'p',
      name: 'Evening',
      backboneId: 'tiny',
      ...taught,
      file,
      addedAt: 3,
    })
    expect(kept.roles.length).toBeGreaterThan(0)
    expect(kept.roles[0]?.vector.length).toBe(5)
    expect(await library.list()).toEqual([kept])
    expect(new Uint8Array(await (await library.read('p')).arrayBuffer())).toEqual(
      new Uint8Array(await file.arrayBuffer()),
    )
    await library.remove('p')
    expect(await library.list()).toEqual([])
    await expect(library.read('p')).rejects.toMatchObject({ code: 'storage-corrupt' })
  })

  test('refuses what is no pack', async () => {
    const library = openPackLibrary(database)
    const file = new Blob(['this is no pack at all'])
    await expect(
      library.add({ id: 'p', name: 'Nothing', backboneId: null, ...taught, file }),
    ).rejects.toMatchObject({
      code: 'format-invalid',
    })
    expect(await library.list()).toEqual([])
  })

  test('lists the last added first', async () => {
    const library = openPackLibrary(database)
    const file = await packFile()
    await library.add({ id: 'old', name: 'Old', backboneId: null, ...taught, file, addedAt: 1 })
    await library.add({ id: 'new', name: 'New', backboneId: null, ...taught, file, addedAt: 2 })
    expect((await library.list()).map(({ id }) => id)).toEqual(['new', 'old'])
  })
})
