import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { openCardLibrary } from '../../../src/storage/cardLibrary.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import { openChatLog } from '../../../src/storage/chatLog.ts'
import type { ChatLog } from '../../../src/storage/chatLog.ts'
import { openKeptDatabase } from '../../../src/storage/keptDatabase.ts'
import { openPackLibrary } from '../../../src/storage/packLibrary.ts'
import { openRuns } from '../../../src/storage/runs.ts'
import { defaultSettings, loadSettings } from '../../../src/storage/settings.ts'
import {
  firstPack,
  firstProgress,
  keptCard,
  keptEvents,
  keptPack,
  keptProgress,
  keptRun,
  keptSettings,
  keptSummaries,
  packBytes,
  settingsWithPersonas,
} from '../../support/keptData.ts'
import { groupEvents, groupSummary } from '../../support/keptGroup.ts'

/* What lies on people's machines opens in this build, and what this build writes opens in theirs. */

const HOLMES = 'Sherlock Holmes'
const TOM = '0fa0338b362186fc8ea565a1/Old Tom'
const [CHAT, BRANCH] = ['7f52a32b8939b0f883cb1fe1', '443a428570bc6f606144f916']

let name = ''
const opened: { close(): void }[] = []

/** Opens a database without the product, making what is not there. */
async function open(version: number, make: (database: IDBDatabase) => void): Promise<IDBDatabase> {
  const request = indexedDB.open(name, version)
  request.addEventListener('upgradeneeded', () => make(request.result))
  await new Promise((resolve, reject) => {
    request.addEventListener('success', resolve)
    request.addEventListener('error', reject)
  })
  opened.push(request.result)
  return request.result
}

/** Puts records into stores, a key beside those that have none of their own. */
async function put(
  database: IDBDatabase,
  records: Readonly<Record<string, readonly (readonly [value: unknown, key?: string])[]>>,
): Promise<void> {
  const transaction = database.transaction(Object.keys(records), 'readwrite')
  for (const [store, entries] of Object.entries(records)) {
    for (const [value, key] of entries) transaction.objectStore(store).put(value, key)
  }
  await new Promise((resolve) => transaction.addEventListener('complete', resolve))
  database.close()
}

/** All that a store holds. */
function allOf(database: IDBDatabase, store: string): Promise<unknown[]> {
  const request = database.transaction(store).objectStore(store).getAll()
  return new Promise((resolve) => request.addEventListener('success', () => resolve(request.result)))
}

const makeChats = (database: IDBDatabase): void => {
  database.createObjectStore('events', { autoIncrement: true }).createIndex('chat', 'chat')
  database.createObjectStore('summaries', { keyPath: 'id' })
}
const makeKept = (database: IDBDatabase): void => {
  for (const store of ['runs', 'packs', 'cards']) database.createObjectStore(store, { keyPath: 'id' })
  for (const store of ['progress', 'pointers']) database.createObjectStore(store, { keyPath: 'run' })
  database.createObjectStore('pack-files')
}

async function openLog(): Promise<ChatLog> {
  const log = await openChatLog(name)
  opened.push(log)
  return log
}
async function openKept(): Promise<IDBDatabase> {
  const database = await openKeptDatabase(name)
  opened.push(database)
  return database
}

beforeEach(({ task }) => {
  name = `kept ${task.id}`
})
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
  indexedDB.deleteDatabase(name)
})

describe('chats', () => {
  beforeEach(async () => {
    const events = keptEvents.map((event) => [event] as const)
    const summaries = keptSummaries.map((summary) => [summary] as const)
    await put(await open(1, makeChats), { events, summaries })
  })

  test('are listed with whom they are with', async () => {
    const summaries = await (await openLog()).list()
    expect(summaries.map(({ id, key, title, messages }) => [id, key, title, messages])).toEqual([
      [BRANCH, TOM, 'On the river', 1],
      [CHAT, HOLMES, 'Who are you?', 3],
    ])
  })

  test('open with every word, and who said it, and how it came about', async () => {
    const log = await openLog()
    const chat = (await log.read(CHAT))!
    expect([chat.key, chat.strength, chat.unreadable]).toEqual([HOLMES, 1, 0])
    expect(visibleMessages(chat).map(({ speaker, key }) => [speaker, key])).toEqual([
      ['role', HOLMES],
      ['user', null],
      ['role', HOLMES],
    ])
    const takes = chat.messages.at(-1)!.takes
    expect(takes.map(({ text, generation }) => [text, generation?.key, generation?.seed])).toEqual([
      ['A man of method.', HOLMES, 7],
      ['A man of habit.', HOLMES, 8],
    ])
    expect(chat.books.map(({ name: title }) => title)).toEqual(['Baker Street'])
    expect(chat.note).toEqual({ text: 'It rains.', depth: 4, every: 1 })
    expect(chat.facts).toEqual(['Ann came by cab.'])
    expect(chat.persona).toBe(settingsWithPersonas.persona)
    const branch = (await log.read(BRANCH))!
    expect([branch.books, branch.note, branch.facts]).toEqual([[], null, []])
    expect([branch.key, branch.strength, branch.title, branch.parent?.chat]).toEqual([
      TOM,
      1.2,
      'On the river',
      CHAT,
    ])
    expect(branch.messages[0]).toMatchObject({ key: TOM, excluded: true, deleted: false })
  })

  test('have what happened in them since it can be summed up', async () => {
    await put(await open(1, makeChats), {
      events: [...keptEvents, recapEvent].map((event) => [event] as const),
    })
    const log = await openLog()
    expect([(await log.read(CHAT))?.recap, (await log.read(BRANCH))?.recap]).toEqual([recapEvent.recap, null])
  })

  test('of one have no others in them, and one of several opens with all of them', async () => {
    await put(await open(1, makeChats), {
      events: groupEvents.map((event) => [event] as const),
      summaries: [[groupSummary]],
    })
    const log = await openLog()
    expect([(await log.read(CHAT))?.group, (await log.read(BRANCH))?.group]).toEqual([null, null])
    const chat = (await log.read(groupSummary.id))!
    expect(chat.group?.members.map(({ key, name: title, isMuted }) => [key, title, isMuted])).toEqual([
      [HOLMES, HOLMES, false],
      [TOM, 'Old Tom', true],
      [null, 'Orla', false],
    ])
    expect(chat.group).toMatchObject({ order: 'natural', scene: 'The ferry, {{user}} aboard.' })
    const [first, ...others] = await log.list()
    expect(first?.company).toEqual(chat.group?.members.map(({ key, name: title }) => ({ key, name: title })))
    expect(others.map((summary) => 'company' in summary)).toEqual([false, false])
  })

  test('of several lie there as this build’s forerunners wrote them', async () => {
    await put(await open(1, makeChats), { events: groupEvents.map((event) => [event] as const) })
    const log = await openLog()
    const all = await log.events(groupSummary.id)
    log.close()
    indexedDB.deleteDatabase(name)
    const fresh = await openLog()
    await fresh.restore(all)
    fresh.close()
    const database = await open(1, makeChats)
    expect(await allOf(database, 'events')).toEqual(groupEvents)
    expect(await allOf(database, 'summaries')).toEqual([groupSummary])
  })

  test('keep what a newer build has written to them, as it wrote it', async () => {
    const newer = { kind: 'take-added', message: 'm', takes: [], version: 2, chat: CHAT, at: 1795953700000 }
    await put(await open(1, makeChats), { events: [[newer]] })
    const log = await openLog()
    expect((await log.read(CHAT))?.unreadable).toBe(1)
    expect((await log.events(CHAT)).at(-1)).toEqual(newer)
  })

  test('that this build writes lie there as its forerunners wrote them', async () => {
    const log = await openLog()
    const all = [...(await log.events(CHAT)), ...(await log.events(BRANCH))]
    log.close()
    indexedDB.deleteDatabase(name)
    const fresh = await openLog()
    for (const chat of [CHAT, BRANCH]) await fresh.restore(all.filter((event) => event.chat === chat))
    fresh.close()
    const database = await open(1, makeChats)
    expect(await allOf(database, 'events')).toEqual(keptEvents)
    expect(await allOf(database, 'summaries')).toEqual(keptSummaries)
  })
})

describe('packs, cards and the run', () => {
  const file = new Blob([packBytes])

  beforeEach(async () => {
    await put(await open(2, makeKept), {
      packs: [[keptPack], [firstPack]],
      'pack-files': [keptPack, firstPack].map(({ id }) => [file, id] as const),
      cards: [[keptCard]],
      runs: [[keptRun]],
      progress: [[keptProgress]],
    })
  })

  test('packs are there with their roles and their bytes', async () => {
    const library = openPackLibrary(await openKept())
    const [pack] = await library.list()
    expect(pack).toMatchObject({ name: 'Brine', cast: ['Brine'], origin: keptPack.origin })
    expect(pack?.roles).toEqual(keptPack.roles)
    expect(await pack?.portraits.get('Brine')?.text()).toBe('pixels')
    expect(await (await library.read(keptPack.id)).text()).toBe(packBytes)
  })

  test('a pack of the first builds stands in the cast with all of its roles', async () => {
    const library = openPackLibrary(await openKept())
    const first = (await library.list()).at(-1)!
    expect(first).toMatchObject({ cast: ['Captain', 'Mate'], origin: { kind: 'taught' }, provenance: {} })
    expect(first.portraits.size).toBe(0)
    expect(first.roles[1]).toEqual({
      name: 'Mate',
      vector: Float32Array.of(0, 1),
      system: null,
      card: null,
      blend: null,
    })
    expect(await (await library.read(firstPack.id)).text()).toBe(packBytes)
  })

  test('cards are there whole', async () => {
    const [card] = await openCardLibrary(await openKept()).list()
    expect(card).toMatchObject({ name: 'Old Tom', fileName: 'tom.json', original: keptCard.original })
    expect(await card?.assets.get('assets/hat.png')?.text()).toBe('hat')
  })

  test('the run goes on with its questions and its charts', async () => {
    const kept = (await openRuns(await openKept()).read())!
    expect(kept.run.trial).toEqual(keptRun.rehearsal)
    expect(kept.run).toMatchObject({ id: keptRun.id, config: keptRun.config, dialogues: keptRun.dialogues })
    expect(await kept.run.start?.file.text()).toBe('start')
    expect(kept.progress?.history).toEqual(keptProgress.history)
    expect(await kept.progress?.result?.pack.text()).toBe('taught')
  })

  test('a map of roles of the first builds warns of nobody', async () => {
    await put(await openKept(), { progress: [[firstProgress]] })
    const kept = (await openRuns(await openKept()).read())!
    expect(kept.progress?.history.map).toMatchObject({
      names: ['Brine', 'Alice'],
      alike: null,
      isShared: false,
    })
  })

  test('a run that this build begins lies there as its forerunners wrote it', async () => {
    const database = await openKept()
    const runs = openRuns(database)
    const { run, progress } = (await runs.read())!
    await runs.remove(run.id)
    await runs.begin(run)
    await runs.keep(progress!)
    expect(await allOf(database, 'runs')).toEqual([keptRun])
    expect(await allOf(database, 'progress')).toEqual([keptProgress])
  })
})

/** What happened in a chat, as builds write it since it can be summed up. */
const recapEvent = {
  kind: 'recap-changed',
  recap: { text: 'Ann has met Holmes.', until: '8def03450453d370282e3e62' },
  version: 1,
  chat: CHAT,
  at: 1796061600000,
}

/** What could not be chosen before voices and the page’s language could. */
const sinceVoices = { voices: {}, soundDevice: null, language: 'system' }

test('settings are as they were chosen', async () => {
  const database = await open(1, (made) => void made.createObjectStore('values'))
  await put(database, { values: [[keptSettings, 'settings']] })
  // What could not be chosen then has its default.
  const { userDescription, personas, persona, stops, favourites, castOrder } = defaultSettings
  const since = { userDescription, personas, persona, stops, favourites, castOrder, ...sinceVoices }
  expect(await loadSettings(name)).toEqual({ ...keptSettings, ...since, length: 'medium', cardText: 'auto' })
})

test('settings with personas are as they were chosen', async () => {
  const database = await open(1, (made) => void made.createObjectStore('values'))
  await put(database, { values: [[settingsWithPersonas, 'settings']] })
  expect(await loadSettings(name)).toEqual({ ...settingsWithPersonas, ...sinceVoices })
})
