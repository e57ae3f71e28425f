import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { chooseKeeping } from '../../../app/stores/company/keeping.ts'
import { exportOpenChat, exportOpenGroup, importChatFile } from '../../../app/stores/chat/chatFiles.ts'
import { openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import { changeGroup, changeMember } from '../../../app/stores/chat/group.ts'
import { putAway, receiveFiles } from '../../../app/stores/exchange/arrivals.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'
import { groupChats } from '../../support/groupChats.ts'

const shipped = readCast(
  Object.fromEntries(
    ['Alice', 'Bram'].map((name) => [name, { displayName: name, card: { first_mes: `${name} waits.` } }]),
  ),
)

let root: HTMLElement
let close: () => void
let engine: FakeEngine
let name = ''

const open = () => useChats.getState().open!
const members = () => open().group?.members.map(({ key, name: called }) => [key, called])
const example = (what: string) => groupChats.find((one) => one.what.includes(what))!
const jsonl = (what: string): Blob =>
  new Blob([
    example(what)
      .lines.map((line) => JSON.stringify(line))
      .join('\n'),
  ])
const json = (value: unknown): Blob => new Blob([JSON.stringify(value)])
const sheet = page.getByRole('dialog')

/** The chat that came, on the screen. */
const isOpen = async (): Promise<void> => {
  await expect.poll(() => location.hash === `#/chat/${useChats.getState().open?.id}`).toBe(true)
}

beforeEach(async ({ task }) => {
  name = `group-files-${task.id}`
  chooseKeeping(name, name)
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  engine = createFakeEngine({ roles: ['Alice', 'Bram'], answers: ['One.', 'Two.'] })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  useNotices.setState({ notice: null })
})
afterEach(() => {
  putAway()
  close()
  root.remove()
  indexedDB.deleteDatabase(name)
  changeSettings(defaultSettings)
})

test('a group, its chat and the card of one of them come in together, and go on', async () => {
  const { group } = example('everybody in turn')
  await receiveFiles([
    { path: 'The ferry.json', file: json(group) },
    { path: '2025-03-03@20h15m00s.jsonl', file: jsonl('everybody in turn') },
    { path: 'tom.json', file: json({ name: 'Old Tom', description: 'A ferryman.', first_mes: 'Ay.' }) },
  ])
  await expect
    .element(sheet.getByText('A group, from SillyTavern: Old Tom2, alice_v3.final, Orla'))
    .toBeVisible()
  await expect.element(sheet.getByText('Their chat came too, and opens with them.')).toBeVisible()
  await sheet.getByRole('button', { name: 'Bring everything in' }).click()
  await expect.poll(() => useChats.getState().open?.title).toBe('The ferry')
  await isOpen()
  expect(useChats.getState().summaries).toHaveLength(1)
  const tom = useCast.getState().members.find(({ displayName }) => displayName === 'Old Tom')!.key
  expect(members()).toEqual([
    [tom, 'Old Tom'],
    ['Alice', 'Alice'],
    [null, 'Orla'],
  ])
  expect(open().messages.map(({ key }) => key)).toEqual([tom, 'Alice', null])
  await say('Is it late?')
  expect(engine.asked.map(({ scene }) => scene.role)).toEqual([null, 'Alice'])
  expect(engine.asked[1]?.scene.turns).toEqual([
    { speaker: 'user', text: 'Old Tom: Evening.' },
    { speaker: 'role', text: 'Good evening.' },
    { speaker: 'user', text: 'Evening.' },
    { speaker: 'user', text: 'Is it late?' },
    { speaker: 'user', text: 'Old Tom: One.' },
  ])
  // Whoever is not here is shown, and cannot be given the word.
  await expect.element(page.getByTitle('Orla is not here')).toBeDisabled()
})

test('a chat of several alone knows who plays in it', async () => {
  await importChatFile(new File([jsonl('one at a time')], 'evening.jsonl'))
  await isOpen()
  expect(members()).toEqual([
    ['Alice', 'Alice'],
    ['Bram', 'Bram'],
  ])
  expect(open()).toMatchObject({ key: null, title: 'evening', group: { order: 'natural' } })
})

test('goes out as two files and comes back from the chat alone, as it was', async () => {
  await importChatFile(new File([jsonl('one at a time')], 'evening.jsonl'))
  await isOpen()
  await changeGroup(open(), { order: 'manual', scene: 'A ferry.' })
  await changeMember(open(), open().group!.members[1]!, { isMuted: true, talkativeness: 0.25 })
  const before = open()
  const { name: fileName, text } = exportOpenChat(before)
  const written = exportOpenGroup(before)!
  expect(written.name).toBe('Alice and Bram.json')
  expect(JSON.parse(written.text)).toMatchObject({
    members: ['Alice.png', 'Bram.png'],
    disabled_members: ['Bram.png'],
    activation_strategy: 2,
    chat_id: fileName.replace('.jsonl', ''),
  })
  await importChatFile(new File([text], fileName))
  await expect.poll(() => useChats.getState().open?.id).not.toBe(before.id)
  await isOpen()
  expect(open().group).toEqual(before.group)
  expect(visibleMessages(open()).map((message) => [message.key, selectedTake(message).text])).toEqual(
    visibleMessages(before).map((message) => [message.key, selectedTake(message).text]),
  )
  expect(exportOpenGroup({ ...open(), group: null })).toBeNull()
})

test('a group alone opens a chat of those who are here, and says who is not', async () => {
  const { group } = example('one at a time')
  await receiveFiles([{ path: 'The ferry.json', file: json(group) }])
  await sheet.getByRole('button', { name: 'Open their chat' }).click()
  await isOpen()
  expect(members()).toEqual([
    ['Alice', 'Alice'],
    [null, 'Orla'],
    ['Bram', 'Bram'],
  ])
  expect(open().messages.map(({ takes }) => takes[0]?.text)).toEqual(['Alice waits.', 'Bram waits.'])
  expect(useNotices.getState().notice?.text).toBe('Orla is not here.')
})

test('a group of whom only one is here is refused, and nothing is kept', async () => {
  const { group } = example('two who answer')
  await receiveFiles([{ path: 'ferry.json', file: json(group) }])
  await sheet.getByRole('button', { name: 'Open their chat' }).click()
  await expect
    .element(sheet.getByText('ferry.json needs two who are here: bring in Orla first.'))
    .toBeVisible()
  expect(useChats.getState().summaries).toEqual([])
})

test('more than eight are told of before they come in', async () => {
  const { group } = example('ten, of whom')
  await receiveFiles([{ path: 'crew.json', file: json(group) }])
  await expect.element(sheet.getByText('Eight find room in a chat: 2 more are left out.')).toBeVisible()
})
