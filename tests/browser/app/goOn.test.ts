import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { PAUSE } from '../../../src/core/pause.ts'
import { readCast } from '../../../src/cast/member.ts'
import { selectedTake, visibleMessages } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say, useGeneration } from '../../../app/stores/chat/generation.ts'
import { beginGroup, changeGroup, groupMember, USUAL_GROUP } from '../../../app/stores/chat/group.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine, Script } from '../../support/fakeEngine.ts'

const NAMES = ['Alice', 'Holmes']
const shipped = readCast(
  Object.fromEntries(
    NAMES.map((name) => [name, { displayName: name, card: { name, description: `${name} is here.` } }]),
  ),
)

let close: () => void
let engine: FakeEngine
let root: HTMLElement

const open = () => useChats.getState().open!
const lines = () => visibleMessages(open()).map((message) => selectedTake(message).text)
const isGoingOn = () => useGeneration.getState().goingOn !== null
const toggle = page.getByRole('button', { name: 'Keep them talking' })
const stop = page.getByRole('button', { name: 'Stop', exact: true })
const box = page.getByRole('textbox', { name: /Say something to/ })

const start = async (script: Script = {}): Promise<void> => {
  engine = createFakeEngine({ roles: NAMES, answers: ['One.', 'Two.', 'Three.'], ...script })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  await beginGroup(NAMES.map(groupMember), { ...USUAL_GROUP, order: 'pooled' })
  await expect.poll(() => location.hash === `#/chat/${useChats.getState().open?.id}`).toBe(true)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
}

/** Lets the silence between two pass: whoever is to speak has spoken. */
const passSilence = async () => {
  await vi.advanceTimersByTimeAsync(1000 * PAUSE.usual)
  await expect.poll(() => useGeneration.getState().live).toBeNull()
}

beforeEach(() => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
})
afterEach(() => {
  vi.useRealTimers()
  showBackstage(false)
  useGeneration.setState({ live: null, goingOn: null, next: [], failure: null })
  close()
  root.remove()
  changeSettings(defaultSettings)
})

test('they go on by themselves, and a stop between two ends it', async () => {
  await start()
  await toggle.click()
  await expect.element(toggle).toHaveAttribute('aria-pressed', 'true')
  await expect.poll(lines).toEqual(['One.'])
  await vi.advanceTimersByTimeAsync(1000 * PAUSE.usual - 1)
  expect(lines()).toEqual(['One.'])
  await vi.advanceTimersByTimeAsync(1)
  await expect.poll(lines).toEqual(['One.', 'Two.'])
  const said = visibleMessages(open()).map(({ key }) => key)
  expect(said[0]).not.toBe(said[1])
  // Nobody speaks now: the button stops what is still to come.
  expect(useGeneration.getState().live).toBeNull()
  await stop.click()
  await expect.element(toggle).toHaveAttribute('aria-pressed', 'false')
  await passSilence()
  expect(lines()).toHaveLength(2)
})

test('a stop while one speaks ends it, and what was said stays', async () => {
  const waiting: (() => void)[] = []
  let words = 0
  const pause = (): Promise<void> => {
    if (!useGeneration.getState().live || ++words < 3) return Promise.resolve()
    return new Promise((resolve) => waiting.push(resolve))
  }
  await start({ pause, answers: ['One two three four.'] })
  await toggle.click()
  await expect.poll(() => words).toBe(3)
  await userEvent.keyboard('{Escape}')
  expect(isGoingOn()).toBe(false)
  waiting[0]?.()
  await expect.poll(lines).toEqual(['One two'])
  await passSilence()
  expect(engine.asked).toHaveLength(1)
})

test('whoever leaves the chat stops them, and nobody goes on in it', async () => {
  await start()
  await toggle.click()
  await expect.poll(() => engine.asked.length).toBe(1)
  location.hash = '#/'
  await expect.poll(() => useChats.getState().open).toBeNull()
  expect(isGoingOn()).toBe(false)
  await passSilence()
  expect(engine.asked).toHaveLength(1)
})

test('what the visitor says is answered, who writes is waited for, and then they go on', async () => {
  await start()
  await toggle.click()
  await expect.poll(lines).toEqual(['One.'])
  await box.fill('And what')
  await passSilence()
  expect(lines()).toEqual(['One.'])
  await box.fill('And what of me?')
  await page.getByRole('button', { name: 'Send' }).click()
  await expect.poll(lines).toEqual(['One.', 'And what of me?', 'Two.'])
  await passSilence()
  await expect.poll(lines).toHaveLength(4)
  expect(isGoingOn()).toBe(true)
})

test('one who fails ends it, and so does a chat in which nobody can speak', async () => {
  await start({ generateFails: 'out-of-memory', answers: ['One two three four.'] })
  await toggle.click()
  await expect.poll(() => useGeneration.getState().failure?.code).toBe('out-of-memory')
  await expect.poll(isGoingOn).toBe(false)
  const muted = open().group!.members.map((member) => ({ ...member, isMuted: true }))
  useChats.setState(({ open: chat }) => ({
    open: chat && { ...chat, group: chat.group && { ...chat.group, members: muted } },
  }))
  await toggle.click()
  await expect.poll(isGoingOn).toBe(false)
  expect(engine.asked).toHaveLength(1)
})

test('silence and cards are chosen Backstage, and the cards of all are sent', async () => {
  await start()
  changeSettings({ cardText: 'card' })
  showBackstage(true)
  const drawer = page.getByRole('complementary', { name: 'Backstage' })
  await drawer
    .getByRole('combobox', { name: 'Whose cards they are told' })
    .selectOptions('Everybody’s, but of the muted')
  await drawer.getByRole('textbox', { name: 'Before each text of a card' }).fill('{{char}}: ')
  const silence = drawer.getByRole('spinbutton', { name: 'Silence between them, in seconds' })
  await silence.fill('7')
  await silence.fill('700')
  await userEvent.tab()
  await expect.element(silence).toHaveValue(PAUSE.usual)
  await silence.fill('7')
  await userEvent.tab()
  await expect
    .poll(() => open().group)
    .toMatchObject({
      pause: 7,
      joined: { isWithMuted: false, prefix: '{{char}}: ', suffix: '' },
    })
  await changeGroup(open(), { order: 'list' })
  await say('Hello')
  expect(engine.asked.map(({ scene }) => scene.script?.texts['description'])).toEqual([
    'Holmes: Holmes is here.',
    'Alice: Alice is here.',
  ])
})
