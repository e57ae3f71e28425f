import { afterEach, beforeEach, expect, test } from 'vitest'

import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { openChatLog } from '../../../src/storage/chatLog.ts'
import type { ChatLog } from '../../../src/storage/chatLog.ts'
import type { ChatChange } from '../../../src/storage/records.ts'

const created: ChatChange = {
  kind: 'chat-created',
  key: 'Holmes',
  title: null,
  parent: null,
  metadata: null,
}
const said = (id: string, text: string): ChatChange => ({
  kind: 'message-added',
  message: {
    id,
    speaker: 'user',
    name: 'Ann',
    key: null,
    excluded: false,
    takes: [{ id: `${id}1`, text, at: 1, generation: null }],
    selected: 0,
  },
})

let name = ''
let opened: ChatLog[] = []
const open = async (): Promise<ChatLog> => {
  const log = await openChatLog(name)
  opened.push(log)
  return log
}

beforeEach(({ task }) => {
  name = `test ${task.id}`
})
afterEach(() => {
  for (const log of opened) log.close()
  opened = []
  indexedDB.deleteDatabase(name)
})

test('a chat is there again after the page was closed', async () => {
  const before = await open()
  await before.append('one', [created, said('m', 'Hello')], 10)
  await before.append('one', [said('n', 'Are you there?')], 20)
  before.close()

  const chat = await (await open()).read('one')
  expect(chat && visibleMessages(chat).map((message) => selectedTake(message).text)).toEqual([
    'Hello',
    'Are you there?',
  ])
  expect(chat).toMatchObject({ createdAt: 10, updatedAt: 20 })
})

test('an empty chat under the same id takes nothing away', async () => {
  const log = await open()
  await log.append('one', [created, said('m', 'Hello')])
  await log.append('one', [created])
  await log.append('one', [])
  expect((await log.read('one'))?.messages).toHaveLength(1)
})

test('two tabs write into one chat without losing a word, and hear of each other', async () => {
  const [here, there] = [await open(), await open()]
  await here.append('one', [created])
  const heard = new Promise<string>((resolve) => here.onForeignChange(resolve))
  await Promise.all([
    here.append('one', [said('a', 'From here')]),
    there.append('one', [said('b', 'From there')]),
  ])
  const ids = (await here.read('one'))?.messages.map((message) => message.id)
  expect(ids?.toSorted()).toEqual(['a', 'b'])
  expect(await heard).toBe('one')
})

test('the list is built again when it is lost', async () => {
  const log = await open()
  await log.append('one', [created, said('m', 'Hello')], 10)
  await log.append('two', [created, said('m', 'Good day')], 20)
  const before = await log.list()
  const database = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open(name)
    request.addEventListener('success', () => resolve(request.result))
  })
  const transaction = database.transaction('summaries', 'readwrite')
  transaction.objectStore('summaries').clear()
  await new Promise((resolve) => transaction.addEventListener('complete', resolve))
  database.close()

  expect(await log.list()).toEqual(before)
  expect(before.map(({ id, title }) => [id, title])).toEqual([
    ['two', 'Good day'],
    ['one', 'Hello'],
  ])
})

test('a deleted chat comes back, until it is erased; the others stay', async () => {
  const log = await open()
  await log.append('one', [created, said('m', 'Hello')])
  await log.append('two', [created, said('m', 'Good day')])
  await log.append('one', [{ kind: 'chat-deleted' }])
  expect((await log.read('one'))?.deleted).toBe(true)
  await log.append('one', [{ kind: 'chat-restored' }])
  expect((await log.list()).filter(({ deleted }) => deleted)).toEqual([])

  await log.append('one', [{ kind: 'chat-deleted' }])
  expect(await log.eraseDeleted()).toBe(1)
  expect(await log.read('one')).toBeUndefined()
  expect((await log.list()).map(({ id }) => id)).toEqual(['two'])
})

test('a page that closes with its last word written leaves no list that is behind', async () => {
  const log = await open()
  await log.append('one', [created, said('m', 'Hello')])
  await log.append('one', [{ kind: 'chat-deleted' }])
  // Nobody waits for the answer: the log closes once what was begun is through.
  const restored = log.append('one', [{ kind: 'chat-restored' }])
  log.close()
  await restored.catch(() => undefined)

  const next = await open()
  expect((await next.list()).map(({ id, deleted }) => [id, deleted])).toEqual([['one', false]])
  expect(await next.eraseDeleted()).toBe(0)
  expect((await next.read('one'))?.messages).toHaveLength(1)
})
