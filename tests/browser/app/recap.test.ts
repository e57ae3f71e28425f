import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { branchChat } from '../../../app/stores/chat/branch.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { say } from '../../../app/stores/chat/generation.ts'
import { changeRecap, sumUp } from '../../../app/stores/chat/recap.ts'
import { useRecap } from '../../../app/stores/chat/recapWatch.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { showBackstage, showDialog } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine, Script } from '../../support/fakeEngine.ts'

const shipped = readCast({ Alice: { displayName: 'Alice', card: { first_mes: 'Who is there?' } } })

let close: () => void
let engine: FakeEngine
let root: HTMLElement

const open = () => useChats.getState().open!
const mind = page.getByRole('region', { name: 'In mind' })
const field = mind.getByRole('textbox', { name: 'What happened so far' })
const lastAsked = () => engine.asked.at(-1)!.scene

const begin = async (script: Script = {}): Promise<void> => {
  engine = createFakeEngine({ roles: ['Alice'], answers: ['Curious.', 'They spoke of tea.'], ...script })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter', cardText: 'card' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  await beginChat('Alice')
  await expect.element(page.getByRole('textbox', { name: 'Say something to Alice' })).toHaveFocus()
}

beforeEach(() => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
})
afterEach(() => {
  showBackstage(false)
  showDialog('none')
  close()
  root.remove()
  changeSettings(defaultSettings)
})

test('the model sums up what was said, which is sent from then on and can be taken back', async () => {
  await begin()
  await say('Is there tea?')
  showBackstage(true)
  await mind.getByRole('button', { name: 'Sum up what was said' }).click()
  await expect.element(field).toHaveValue('They spoke of tea.')
  expect(lastAsked()).toMatchObject({ role: null, strength: 1, turns: [{ speaker: 'user' }] })
  expect(lastAsked().turns[0]?.text).toContain('Alice: Who is there?\nAnna: Is there tea?\nAlice: Curious.')
  expect(open().recap).toEqual({ text: 'They spoke of tea.', until: visibleMessages(open()).at(-1)?.id })
  showBackstage(false)
  await say('And now?')
  expect(lastAsked().script?.texts.recap).toBe('What happened before:\nThey spoke of tea.')
  showDialog('sent')
  await expect
    .element(page.getByRole('region', { name: 'The prompt' }))
    .toHaveTextContent(/What happened before: They spoke of tea\./)
  showDialog('none')
  await sumUp(open())
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(() => open().recap?.text).toBe('They spoke of tea.')
})

test('it is changed by hand, and emptied', async () => {
  await begin()
  showBackstage(true)
  await field.fill('They met by the sea.')
  await mind.getByRole('textbox', { name: 'A note on how it goes on' }).click()
  await expect.poll(() => open().recap?.text).toBe('They met by the sea.')
  await branchChat(open(), visibleMessages(open())[0]!.id)
  await expect
    .poll(() => [open().parent !== null, open().recap?.text])
    .toEqual([true, 'They met by the sea.'])
  await field.fill(' ')
  await mind.getByRole('textbox', { name: 'A note on how it goes on' }).click()
  await expect.poll(() => open().recap).toBeNull()
})

/** A message of 125 tokens. */
const long = (word: string): string => `${word} `.repeat(480 / (word.length + 1))
/** What the model was given to sum up. */
const summaries = () =>
  engine.asked.flatMap(({ scene }) => (scene.script ? [] : [scene.turns[0]?.text ?? '']))

test('it goes on over what the model can no longer read, and over nothing twice', async () => {
  await begin({ context: 400, answers: ['Yes.'] })
  await changeRecap(open(), 'They met.')
  for (const word of ['tea', 'sea', 'bee', 'key']) await say(long(word))
  const said = (index: number) => visibleMessages(open())[index]?.id
  await expect.poll(() => open().recap).toEqual({ text: 'Yes.', until: said(1) })
  await say(long('pea'))
  await expect.poll(() => open().recap).toEqual({ text: 'Yes.', until: said(3) })
  const [first = '', second = '', ...others] = summaries()
  expect(first).toMatch(/^What happened before:\nThey met\.\n\nWhat was said then:\nAnna: tea (?:tea )+/)
  expect(second).toMatch(/^What happened before:\nYes\.\n\nWhat was said then:\nAlice: Yes\./)
  expect([first, second, ...others].join('\n')).not.toMatch(/Who is there|bee|key/)
})

test('what is too long for the model at once is gone through in parts', async () => {
  await begin({ context: 400, answers: ['Part of it.'] })
  await say('tea '.repeat(200))
  const before = engine.asked.length
  await sumUp(open())
  const asked = engine.asked.slice(before).map(({ scene }) => scene.turns[0]?.text ?? '')
  expect(asked.length).toBeGreaterThan(1)
  expect(asked[1]).toMatch(/^What happened before:\nPart of it\./)
  expect(open().recap?.until).toBe(visibleMessages(open()).at(-1)?.id)
})

test('whoever says something is answered first, and what was there stays', async () => {
  const held = Promise.withResolvers<void>()
  let isHeld = false
  await begin({ pause: () => (isHeld ? held.promise : Promise.resolve()) })
  await changeRecap(open(), 'They met.')
  isHeld = true
  const writing = sumUp(open())
  await expect.poll(() => engine.asked.length).toBe(1)
  isHeld = false
  const said = say('Hello')
  held.resolve()
  await Promise.all([writing, said])
  expect(open().recap?.text).toBe('They met.')
  expect(useRecap.getState()).toMatchObject({ chat: null, failure: null })
})

test('a model that is told a line alone does not write it', async () => {
  await begin()
  changeSettings({ cardText: 'line' })
  showBackstage(true)
  await expect.element(field).toBeVisible()
  await expect.element(mind.getByRole('button', { name: 'Sum up what was said' })).not.toBeInTheDocument()
  await field.fill('They met.')
  await mind.getByRole('textbox', { name: 'A note on how it goes on' }).click()
  showDialog('sent')
  await expect.element(page.getByRole('dialog')).toHaveTextContent(/what happened so far/)
})
