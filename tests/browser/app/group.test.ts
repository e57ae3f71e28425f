import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { branchChat } from '../../../app/stores/chat/branch.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import type { TurnOrder } from '../../../src/storage/records.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, editMessage, meet, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { again, answer, carryOn, giveWord, say, useGeneration } from '../../../app/stores/chat/generation.ts'
import {
  beginGroup,
  changeMember,
  groupMember,
  join,
  leave,
  USUAL_GROUP,
} from '../../../app/stores/chat/group.ts'
import { askTogether, keepAnswer, closeTogether, useTogether } from '../../../app/stores/chat/together.ts'
import { askWhose, closeWhose, useWhose } from '../../../app/stores/chat/whose.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { showBackstage, showDialog } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine, Script } from '../../support/fakeEngine.ts'

const NAMES = ['Alice', 'Holmes', 'Tom', ...'abcdef'.split('')]
const shipped = readCast(
  Object.fromEntries(
    NAMES.map((name) => [
      name,
      { displayName: name, card: { first_mes: `${name} waves at {{user}}.`, description: 'Hm.' } },
    ]),
  ),
)

let close: () => void
let engine: FakeEngine
let root: HTMLElement

const open = () => useChats.getState().open!
const said = () => visibleMessages(open()).map((message) => [message.key, selectedTake(message).text])
const last = () => visibleMessages(open()).at(-1)!
const drawer = page.getByRole('complementary', { name: 'Backstage' })

/** Two of whom Tom has no weights. */
const start = async (order: TurnOrder, keys: readonly string[] = ['Alice', 'Tom']): Promise<void> => {
  await beginGroup(keys.map(groupMember), { ...USUAL_GROUP, order })
  await expect.poll(() => location.hash === `#/chat/${useChats.getState().open?.id}`).toBe(true)
  expect(open().group?.members.map(({ key }) => key)).toEqual(keys)
}

const stage = async (script: Script): Promise<void> => {
  engine = createFakeEngine({ roles: NAMES.filter((name) => name !== 'Tom'), ...script })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  useNotices.setState({ notice: null })
}

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  await stage({ answers: ['One.', 'Two.', 'Three.', 'Four.'] })
})
afterEach(() => {
  showBackstage(false)
  showDialog('none')
  closeTogether()
  closeWhose()
  useGeneration.setState({ live: null, next: [], failure: null })
  close()
  root.remove()
  changeSettings(defaultSettings)
})

test('everybody answers in turn, and each hears what the others said', async () => {
  await start('list')
  expect(said()).toEqual([
    ['Alice', 'Alice waves at {{user}}.'],
    ['Tom', 'Tom waves at {{user}}.'],
  ])
  await say('Hello')
  expect(said().slice(2)).toEqual([
    [null, 'Hello'],
    ['Alice', 'One.'],
    ['Tom', 'Two.'],
  ])
  const [first, second] = engine.asked
  expect(first?.scene).toMatchObject({
    role: 'Alice',
    turns: [
      { speaker: 'role', text: 'Alice waves at Anna.' },
      { speaker: 'user', text: 'Tom: Tom waves at Anna.' },
      { speaker: 'user', text: 'Hello' },
    ],
  })
  expect(second?.scene).toMatchObject({
    role: null,
    system: 'You are Tom. Hm. Speak only as Tom.',
    turns: [
      { speaker: 'user', text: 'Alice: Alice waves at Anna.' },
      { speaker: 'role', text: 'Tom waves at Anna.' },
      { speaker: 'user', text: 'Hello' },
      { speaker: 'user', text: 'Alice: One.' },
    ],
  })
  expect([first?.stops, second?.stops]).toEqual([
    ['\nAnna:', '\nTom:'],
    ['\nAnna:', '\nAlice:'],
  ])
  expect(last().takes[0]?.generation?.key).toBe('Tom')
})

test('whoever is named answers, whoever is given the word speaks, and they go on when they are let', async () => {
  await start('natural')
  changeSettings({ lockedSeed: 3 })
  await giveWord(open().id, ['Tom'])
  expect(last().key).toBe('Tom')
  await start('manual', ['Holmes', 'Tom'])
  await say('Tom?')
  expect(last().speaker).toBe('user')
  await again()
  expect(last().speaker).toBe('role')
  const before = last().key
  await answer(true)
  expect(last().key).not.toBe(before)
})

test('another version, a continuation and an edit stay with whoever said it', async () => {
  await start('list')
  await say('Hello')
  await again()
  expect(last().takes.map(({ text, generation }) => [text, generation?.key])).toEqual([
    ['Two.', 'Tom'],
    ['Three.', 'Tom'],
  ])
  expect(engine.asked.at(-1)?.scene.turns.at(-1)).toEqual({ speaker: 'user', text: 'Alice: One.' })
  await carryOn()
  expect(engine.asked.at(-1)?.scene).toMatchObject({ role: null, continueLast: true })
  expect(selectedTake(last()).text).toBe('Three.Four.')
  await editMessage(open(), last().id, 'Three and four.')
  expect([last().key, selectedTake(last()).text]).toEqual(['Tom', 'Three and four.'])
  await branchChat(open(), last().id)
  await expect.poll(() => open().parent).not.toBeNull()
  expect(open().group?.members.map(({ key }) => key)).toEqual(['Alice', 'Tom'])
})

test('a name before their own words is none of them, and they end before another’s', async () => {
  close()
  await stage({ answers: ['Alice: Well.', 'Tom: Ay.'] })
  await start('list')
  await say('Hello')
  expect(said().slice(-2)).toEqual([
    ['Alice', 'Well.'],
    ['Tom', 'Ay.'],
  ])
})

test('one fails, and those behind them wait', async () => {
  close()
  await stage({ answers: ['One two three four.'], generateFails: 'device-lost' })
  await start('list')
  await say('Hello')
  expect(engine.asked).toHaveLength(1)
  expect(useGeneration.getState()).toMatchObject({ live: null, next: [], failure: { code: 'device-lost' } })
})

test('what is sent is shown as each of them reads it', async () => {
  await start('list')
  await say('Hello')
  showDialog('sent')
  const prompt = page.getByRole('region', { name: 'The prompt' })
  const reader = page.getByRole('combobox', { name: 'As it is sent for' })
  await expect.element(reader).toHaveValue('Tom')
  await expect.element(prompt).toHaveTextContent(/user Alice: One\./)
  await reader.selectOptions('Alice')
  await expect.element(prompt).toHaveTextContent(/assistant One\./)
  await expect.element(prompt).toHaveTextContent(/user Tom: Two\./)
})

test('somebody joins, and somebody leaves: the last has the chat alone, and all can come back', async () => {
  await beginChat('Alice')
  await expect.poll(() => useChats.getState().open?.key).toBe('Alice')
  await say('Hello')
  await join(open(), 'Tom')
  expect(open()).toMatchObject({ key: null, group: { order: 'natural', scene: '' } })
  await join(open(), 'Tom')
  await join(open(), 'Holmes')
  expect(open().group?.members.map(({ name }) => name)).toEqual(['Alice', 'Tom', 'Holmes'])
  await giveWord(open().id, ['Tom'])
  expect(engine.asked.at(-1)?.scene.turns.at(-1)).toEqual({ speaker: 'user', text: 'Alice: One.' })
  await leave(open(), open().group!.members[2]!)
  await leave(open(), open().group!.members[0]!)
  expect([open().key, open().group]).toEqual(['Tom', null])
  await say('And you?')
  // Whoever has left is still heard as somebody else.
  expect(engine.asked.at(-1)?.scene.turns.slice(1)).toEqual([
    { speaker: 'user', text: 'Hello' },
    { speaker: 'user', text: 'Alice: One.' },
    { speaker: 'role', text: 'Two.' },
    { speaker: 'user', text: 'And you?' },
  ])
  await useNotices.getState().notice?.undo?.()
  expect(open().group?.members.map(({ name }) => name)).toEqual(['Alice', 'Tom'])
  expect(open().key).toBeNull()
})

test('never more than eight, and a chat of several is none of one', async () => {
  await start('list', NAMES.slice(0, 8))
  await join(open(), 'f')
  expect(open().group?.members).toHaveLength(8)
  const { id } = open()
  await say('Hello')
  await meet('Alice')
  await expect.poll(() => open().key).toBe('Alice')
  expect(open().id).not.toBe(id)
})

test('whose words they are, and what everybody would answer, starts with those of the chat', async () => {
  await start('list', ['Holmes', 'Alice'])
  await say('Hello')
  await askWhose(open(), last())
  expect(useWhose.getState()).toMatchObject({ question: 'One.', words: 'Two.', shown: 'Alice' })
  closeWhose()
  await askTogether(open())
  const { answers, question } = useTogether.getState()
  expect(question).toBe('Hello')
  expect(answers.slice(0, 2).map(({ key }) => key)).toEqual(['Alice', 'Holmes'])
  await keepAnswer(answers[1]!)
  const holmes = open().messages.find(({ key, takes }) => key === 'Holmes' && takes.length > 1)
  expect(holmes && selectedTake(holmes).text).toBe('Holmes says so.')
})

test('is brought together on its screen, and arranged Backstage', async () => {
  await page.getByRole('link', { name: 'Several at once' }).click()
  const begin = page.getByRole('button', { name: 'Begin' })
  await page.getByRole('checkbox', { name: 'Tom' }).click({ force: true })
  await expect.element(begin).toBeDisabled()
  await page.getByRole('checkbox', { name: 'Alice' }).click({ force: true })
  await page.getByRole('combobox', { name: 'Who answers' }).selectOptions('Everybody, in turn')
  await page.getByRole('textbox', { name: 'The scene' }).fill('A ferry at night.')
  await begin.click()
  await expect
    .poll(() => useChats.getState().open?.group)
    .toMatchObject({
      order: 'list',
      scene: 'A ferry at night.',
      members: [{ key: 'Tom' }, { key: 'Alice' }],
    })
  const box = page.getByRole('textbox', { name: 'Say something to them' })
  await expect.element(box).toHaveFocus()
  showBackstage(true)
  await drawer.getByRole('button', { name: 'Mute Tom' }).click()
  await say('Hello')
  expect(said().slice(2)).toEqual([
    [null, 'Hello'],
    ['Alice', 'One.'],
  ])
  await drawer.getByRole('button', { name: 'Let Alice speak earlier' }).click()
  await drawer.getByRole('combobox', { name: 'Ask somebody in' }).selectOptions('Holmes')
  await expect
    .poll(() => open().group?.members.map(({ key, isMuted }) => [key, isMuted]))
    .toEqual([
      ['Alice', false],
      ['Tom', true],
      ['Holmes', false],
    ])
  await drawer.getByRole('combobox', { name: 'Who answers' }).selectOptions('Whoever is named, or speaks up')
  const talk = drawer.getByRole('slider', { name: 'How often Alice speaks up unasked' })
  await talk.fill('0')
  ;(talk.element() as HTMLElement).dispatchEvent(new PointerEvent('pointerup', { bubbles: true }))
  await expect.poll(() => open().group?.members[0]?.talkativeness).toBe(0)
  await drawer.getByRole('button', { name: 'Let Alice leave' }).click()
  await expect.poll(() => open().group?.members.length).toBe(2)
  showBackstage(false)
  // Muted, Tom speaks when he is given the word.
  await page.getByRole('group', { name: 'Who speaks' }).getByRole('button', { name: /Tom/ }).click()
  await expect.poll(() => last().key).toBe('Tom')
})

test('nobody answers where all are muted, and that is told', async () => {
  await start('list')
  const { group } = open()
  for (const place of [0, 1]) {
    await changeMember(open(), open().group!.members[place]!, { isMuted: true })
  }
  expect(group).not.toBe(open().group)
  await say('Hello')
  expect(engine.asked).toHaveLength(0)
  expect(useNotices.getState().notice?.text).toBe('Nobody answers: they are muted, or not here.')
})
