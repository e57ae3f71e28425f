import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { findMember, openCast, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { readPreview } from '../../../app/stores/chat/preview.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

let close: () => void
let root: HTMLElement

const bookOf = (key: string) => findMember(useCast.getState().members, key)?.card?.book

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startOnSmallSite(root, () => createFakeEngine({ answers: ['Curious.'] }))
  changeSettings({ ...defaultSettings, backbone: 'starter', cardText: 'line' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  await openCast()
})
afterEach(() => {
  close()
  root.remove()
})

test('the lorebook of whoever plays comes with the first chat of a model that has room for it', async () => {
  await beginChat('Alice')
  await vi.waitFor(() => expect(useChats.getState().open).not.toBeNull())
  await readPreview(useChats.getState().open!)
  expect(bookOf('Alice')).toBeNull()
  const before = useCast.getState().members.map(({ key }) => key)
  await readPreview(useChats.getState().open!, true)
  expect(bookOf('Alice')).toMatchObject({ name: 'What Alice remembers' })
  expect(bookOf('Count Dracula')).toBeNull()
  expect(useCast.getState().members.map(({ key }) => key)).toEqual(before)
})
