import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startApp } from '../../../app/startApp.tsx'
import { findMember, openCast, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { readPreview } from '../../../app/stores/chat/preview.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

let close: () => void
let root: HTMLElement

const bookOfAlice = () => findMember(useCast.getState().members, 'Alice')?.card?.book

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startApp(root, () => createFakeEngine({ answers: ['Curious.'] }))
  changeSettings({ ...defaultSettings, backbone: 'starter', cardText: 'line' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  await openCast()
})
afterEach(() => {
  close()
  root.remove()
})

test('the lorebooks of the cast come with the first chat of a model that has room for them', async () => {
  await beginChat('Alice')
  await vi.waitFor(() => expect(useChats.getState().open).not.toBeNull())
  await readPreview(useChats.getState().open!)
  expect(bookOfAlice()).toBeNull()
  const before = useCast.getState().members.map(({ key }) => key)
  await readPreview(useChats.getState().open!, true)
  expect(bookOfAlice()).toMatchObject({ name: 'What Alice remembers' })
  expect(useCast.getState().members.map(({ key }) => key)).toEqual(before)
})
