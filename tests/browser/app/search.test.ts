import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import type { ChatChange } from '../../../src/storage/records.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { append, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { searchFor } from '../../../app/stores/chat/search.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { newId } from '../../../app/stores/page/newId.ts'
import { changeSettings, useSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

const names = ['Alice', ...'bcdefghijkl'.split('')]
const shipped = readCast(
  Object.fromEntries(names.map((name) => [name, { displayName: name, card: { first_mes: 'Hm.' } }])),
)

let close: () => void
let root: HTMLElement

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  const engine = createFakeEngine({ roles: names })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, userName: 'Anna', backbone: 'starter' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
})
afterEach(async () => {
  await searchFor('')
  location.hash = '#/'
  close()
  root.remove()
  changeSettings(defaultSettings)
})

/** A chat with Alice in which these words are said, by turns. */
async function keep(...words: readonly string[]): Promise<string> {
  const id = newId()
  const created: ChatChange = {
    kind: 'chat-created',
    key: 'Alice',
    title: null,
    parent: null,
    metadata: null,
  }
  const messages = words.map((text, index): ChatChange => {
    const speaker = index % 2 === 0 ? 'user' : 'role'
    const take = { id: newId(), text, at: 0, generation: null }
    const name = speaker === 'user' ? 'Anna' : 'Alice'
    const key = speaker === 'user' ? null : 'Alice'
    return {
      kind: 'message-added',
      message: { id: newId(), speaker, name, key, excluded: false, takes: [take], selected: 0 },
    }
  })
  await append(id, [created, ...messages])
  return id
}

test('what was said is found in every chat, and one click leads to it', async () => {
  const lines = Array.from({ length: 300 }, (_, index) => `Line ${index}.`)
  await keep(...lines.with(11, 'The {{user}} Café closes early.'))
  await keep('Where is the café?', 'Early or late, it is shut.')
  await keep('Nothing of it.')
  await page.getByRole('link', { name: 'Search them' }).click()
  const box = page.getByRole('searchbox', { name: 'Search all chats' })
  await box.fill('cafe')
  await expect.element(page.getByText('2 messages in 2 chats.')).toBeInTheDocument()
  await box.fill('early CAFÉ')
  await expect.element(page.getByText('One message in one chat.')).toBeInTheDocument()
  // The macro is filled, as it is read in the chat.
  await page.getByRole('link', { name: 'Go to what Alice said: The Anna Café closes early.' }).click()
  const message = page.getByRole('article').filter({ hasText: 'Café' })
  await expect.element(message).toHaveFocus()
  await expect.element(message).toBeInViewport()
  history.back()
  await expect.element(box).toHaveValue('early CAFÉ')
  await expect.element(page.getByText('One message in one chat.')).toBeInTheDocument()
})

test('nothing of it is said so, and a deleted chat is not found', async () => {
  const id = await keep('A lamp.')
  await append(id, [{ kind: 'chat-deleted' }])
  location.hash = '#/search'
  await page.getByRole('searchbox').fill('lamp')
  await expect.element(page.getByText('Nothing of it was said here.')).toBeInTheDocument()
  await append(id, [{ kind: 'chat-restored' }])
  await expect.element(page.getByText('One message in one chat.')).toBeInTheDocument()
  expect(useChats.getState().summaries).toHaveLength(1)
})

/** Who stands first in the cast. */
const first = (): string | undefined =>
  root.querySelector('section[aria-label="The cast"] li bdi')?.textContent

test('favourites stand first among many, and the order is kept', async () => {
  await expect.poll(first).toBe('Alice')
  await page.getByRole('button', { name: 'Put f first' }).click({ force: true })
  await expect.poll(first).toBe('f')
  await page.getByRole('button', { name: 'Put f first' }).click({ force: true })
  await expect.poll(first).toBe('Alice')
  await page.getByRole('combobox', { name: 'Order of the cast' }).selectOptions('By name')
  expect(useSettings.getState()).toMatchObject({ castOrder: 'name', favourites: [] })
})
