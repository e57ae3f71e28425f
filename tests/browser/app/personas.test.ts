import { afterEach, beforeEach, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { branchChat } from '../../../app/stores/chat/branch.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { addedBy } from '../../../app/stores/page/personas.ts'
import { showBackstage, showDialog } from '../../../app/stores/page/session.ts'
import { changeSettings, useSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'

const shipped = readCast({
  Alice: { displayName: 'Alice', card: { description: '{{char}} met {{user}} at tea.', first_mes: 'Hm.' } },
})
const brack = { id: 'p', name: 'Brack', description: '{{user}} steers the ferry to {{char}}.' }

let close: () => void
let engine: FakeEngine
let root: HTMLElement

const open = () => useChats.getState().open!
const drawer = page.getByRole('complementary', { name: 'Backstage' })
const section = drawer.getByRole('region', { name: 'Who you are' })

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  engine = createFakeEngine({ answers: ['Curious.'] })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter', cardText: 'card' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
})
afterEach(() => {
  showBackstage(false)
  showDialog('none')
  close()
  root.remove()
  changeSettings(defaultSettings)
})

const begin = async (): Promise<void> => {
  await beginChat('Alice')
  await expect.element(page.getByRole('textbox', { name: 'Say something to Alice' })).toHaveFocus()
}

test('a persona is made, described, chosen for a chat, and told', async () => {
  await begin()
  showBackstage(true)
  await section.getByRole('button', { name: 'Another persona' }).click()
  await section.getByRole('textbox', { name: 'Name' }).last().fill('Brack')
  await section.getByRole('textbox', { name: 'What they know of you' }).last().fill(brack.description)
  await section.getByRole('combobox', { name: 'In this chat you are' }).selectOptions('Brack')
  await expect.poll(() => open().persona).toBe(useSettings.getState().personas[0]?.id)
  await say('Hello')
  const { script, turns } = engine.asked[0]!.scene
  expect(script?.texts).toMatchObject({
    persona: 'About Brack:\nBrack steers the ferry to Alice.',
    description: 'Alice met Brack at tea.',
  })
  expect(turns.at(-1)).toEqual({ speaker: 'user', text: 'Hello' })
  expect(open().messages.at(-2)).toMatchObject({ speaker: 'user', name: 'Brack' })
  showDialog('sent')
  await expect
    .element(page.getByRole('region', { name: 'The prompt' }))
    .toHaveTextContent(/About Brack: Brack steers the ferry to Alice\./)
})

test('new chats begin as the one chosen for them, and a branch keeps it', async () => {
  changeSettings({ personas: [brack] })
  await begin()
  expect(open().persona).toBeNull()
  showBackstage(true)
  await section.getByText('Brack', { exact: true }).last().click()
  await section.getByRole('radio', { name: 'New chats begin with them' }).last().click()
  // The chat that waits with its greeting takes it up.
  await beginChat('Alice')
  await expect.poll(() => open().persona).toBe('p')
  await say('Hello')
  await branchChat(open(), open().messages[0]!.id)
  await expect.poll(() => [open().messages.length, open().persona]).toEqual([1, 'p'])
  location.hash = '#/'
  await expect.element(page.getByRole('textbox', { name: 'They will call you' })).toHaveValue('Brack')
})

test('a deleted persona’s chats go on under the visitor’s own name, and it can come back', async () => {
  changeSettings({ personas: [brack], persona: 'p' })
  await begin()
  showBackstage(true)
  await section.getByText('Brack', { exact: true }).last().click()
  await section.getByRole('button', { name: 'Delete Brack' }).click()
  await say('Hello')
  expect(engine.asked[0]?.scene.script?.names).toMatchObject({ user: 'Anna', persona: '' })
  await useNotices.getState().notice?.undo?.()
  expect(useSettings.getState()).toMatchObject({ personas: [brack], persona: 'p' })
  await say('And now?')
  expect(engine.asked[1]?.scene.script?.names.user).toBe('Brack')
})

test('the name on the first screen is that of whoever begins new chats', async () => {
  const name = page.getByRole('textbox', { name: 'They will call you' })
  await name.fill('Ada')
  await userEvent.keyboard('{Enter}')
  await expect.poll(() => useSettings.getState().userName).toBe('Ada')
  await name.fill(' ')
  await userEvent.keyboard('{Enter}')
  await expect.poll(() => useSettings.getState().userName).toBe('stranger')
})

test('a backup brings the personas that are missing, and who the visitor is where nobody said it', () => {
  const own = { ...brack, id: 'q', name: 'Quill' }
  const kept = {
    ...defaultSettings,
    userName: 'Ann',
    userDescription: 'A guest.',
    personas: [brack],
    favourites: ['b', 'c'],
    voices: { b: { voice: 'urn:b', pitch: 1, pace: 1 } },
  }
  expect(addedBy(kept, { ...defaultSettings, personas: [own], favourites: ['a', 'b'] })).toEqual({
    personas: [own, brack],
    favourites: ['a', 'b', 'c'],
    voices: kept.voices,
    userName: 'Ann',
    userDescription: 'A guest.',
  })
  const voices = { b: { voice: null, pitch: 2, pace: 1 } }
  const here = { ...defaultSettings, userName: 'Ida', voices, personas: [{ ...brack, name: 'Changed' }] }
  expect(addedBy(kept, here)).toEqual({ personas: here.personas, favourites: ['b', 'c'], voices })
})
