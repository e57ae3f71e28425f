import { afterEach, beforeEach, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import { loadDraft } from '../../../src/storage/drafts.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import { changeSettings, useSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'

const shipped = readCast({ Alice: { displayName: 'Alice', card: { first_mes: 'Who is there?' } } })

let close: () => void
let engine: FakeEngine
let root: HTMLElement

const box = page.getByRole('textbox', { name: 'Say something to Alice' })
const open = () => useChats.getState().open!

const begin = async (): Promise<void> => {
  await beginChat('Alice')
  await expect.element(box).toHaveFocus()
}

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  engine = createFakeEngine({ roles: ['Alice'], answers: [' am a guest.', 'Curious.'] })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter', cardText: 'card' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  await begin()
})
afterEach(() => {
  showBackstage(false)
  close()
  root.remove()
  changeSettings(defaultSettings)
})

test('the model writes the visitor’s line to its end, into the box and not into the chat', async () => {
  await box.fill('I')
  await page.getByRole('button', { name: 'Write my line to its end' }).click()
  await expect.element(box).toHaveValue('I am a guest.')
  expect(loadDraft(open().id)).toBe('I am a guest.')
  expect(visibleMessages(open())).toHaveLength(1)
  const [{ scene, stops }] = engine.asked as [FakeEngine['asked'][number]]
  expect([scene.role, scene.continueLast, stops]).toEqual([null, true, ['\nAlice:']])
  await page.getByRole('button', { name: 'Send' }).click()
  await expect.poll(() => visibleMessages(open()).length).toBe(3)
  await expect.element(box).toHaveValue('')
  expect(engine.asked.at(-1)?.stops).toEqual(['\nAnna:'])
})

test('a model that is told a line alone does not offer it', async () => {
  await expect.element(page.getByRole('button', { name: 'Write my line' })).toBeInTheDocument()
  changeSettings({ cardText: 'line' })
  await expect.element(page.getByRole('button', { name: 'Write my line' })).not.toBeInTheDocument()
})

test('the strings that end answers are changed in the drawer, a line each', async () => {
  showBackstage(true)
  await page.getByText('The numbers').click()
  const field = page.getByRole('textbox', { name: 'An answer ends before, one a line' })
  await expect.element(field).toHaveValue(String.raw`\n{{user}}:`)
  await field.fill(`***\n\n${String.raw`\n\n{{char}}`}`)
  // The drawer closes, and what was being written is kept.
  await userEvent.keyboard('{Escape}')
  await expect.poll(() => useSettings.getState().stops).toEqual(['***', '\n\n{{char}}'])
  await say('Hello')
  expect(engine.asked[0]?.stops).toEqual(['***', '\n\nAlice'])
})
