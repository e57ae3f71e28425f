import { afterEach, beforeEach, expect, test } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { startApp } from '../../../app/startApp.tsx'
import { chooseKeeping, keeping } from '../../../app/stores/company/keeping.ts'
import { keepCard } from '../../../app/stores/company/guests.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats } from '../../../app/stores/chat/chats.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'

let root: HTMLElement
let close: () => void
let name = ''

const sheet = () => page.getByRole('dialog')
const guest = () => useCast.getState().members.find((member) => member.guest)!
const choose = (file: File): Promise<void> =>
  userEvent.upload(sheet().getByLabelText('A picture of Brine'), file)

/** A picture of one colour, with something behind its pixels. */
const picture = async (width: number, height: number, type: string): Promise<File> => {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d')!
  context.fillStyle = '#a02010'
  context.fillRect(0, 0, width, height)
  return new File([await canvas.convertToBlob({ type }), 'a secret behind it'], 'brine', { type })
}
const kept = async (): Promise<Blob | null | undefined> => {
  const storage = await keeping()
  const [card] = (await storage?.cards.list()) ?? []
  return card?.portrait
}

beforeEach(async ({ task }) => {
  name = `portrait-${task.id}`
  chooseKeeping(name, name)
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  close = await startApp(root, () => createFakeEngine({ roles: ['Holmes'] }))
  changeSettings({ ...defaultSettings, backbone: 'starter' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  const card = { name: 'Brine', description: 'A captain.', first_mes: 'Mind the rope.' }
  const made = {
    name: 'Brine',
    card,
    original: {},
    assets: new Map(),
    portrait: null,
    fileName: 'brine.json',
  }
  await keepCard(made)
  await beginChat(guest().key)
  showBackstage(true)
  await page.getByRole('button', { name: 'Edit their card' }).click()
})
afterEach(() => {
  showBackstage(false)
  close()
  root.remove()
  changeSettings(defaultSettings)
  indexedDB.deleteDatabase(name)
})

test('a guest gets another picture, of its pixels alone, and it can be taken back', async () => {
  await choose(await picture(1600, 800, 'image/jpeg'))
  await expect.element(sheet().getByRole('button', { name: 'Take it away' })).toBeVisible()
  expect(await kept()).toBeNull()
  await sheet().getByRole('button', { name: 'Keep' }).click()
  await expect.poll(async () => (await kept())?.type).toBe('image/png')
  const shown = (await kept())!
  const { width, height } = await createImageBitmap(shown)
  expect([width, height]).toEqual([1024, 512])
  expect(await shown.text()).not.toContain('a secret')
  await expect.poll(() => guest().portrait).toBeInstanceOf(Blob)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(kept).toBeNull()
  await expect.poll(() => guest().portrait).toBeNull()
})

test('a picture is taken away, and what is not kept is left out', async () => {
  await choose(await picture(20, 20, 'image/webp'))
  await sheet().getByRole('button', { name: 'Keep' }).click()
  await expect.poll(async () => (await kept())?.size).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Edit their card' }).click()
  await sheet().getByRole('button', { name: 'Take it away' }).click()
  await sheet().getByRole('button', { name: 'Leave as it was' }).click()
  expect((await kept())?.size).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Edit their card' }).click()
  await sheet().getByRole('button', { name: 'Take it away' }).click()
  await sheet().getByRole('button', { name: 'Keep' }).click()
  await expect.poll(kept).toBeNull()
})

test('what is no picture is named, and the one before stays', async () => {
  await choose(new File(['<svg xmlns="http://www.w3.org/2000/svg"/>'], 'rope.png', { type: 'image/png' }))
  await expect
    .element(sheet().getByRole('alert'))
    .toHaveTextContent(
      'rope.png is no picture that this browser reads: choose a PNG, JPEG, WebP, GIF or AVIF.',
    )
  await choose(new File([new Uint8Array(32 * 2 ** 20 + 1)], 'large.png', { type: 'image/png' }))
  await expect.element(sheet().getByRole('alert')).toHaveTextContent('large.png is larger than 32 MB')
  await expect.element(sheet().getByRole('button', { name: 'Keep' })).toBeDisabled()
  await choose(await picture(20, 20, 'image/png'))
  await expect.element(sheet().getByRole('alert')).not.toBeInTheDocument()
})
