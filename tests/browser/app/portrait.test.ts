import { afterEach, beforeEach, expect, test } from 'vitest'
import { page } from 'vitest/browser'

import { startOnSmallSite } from '../../support/smallSite.ts'
import { chooseKeeping, keeping } from '../../../app/stores/company/keeping.ts'
import { keepCard, keepPack, useGuests } from '../../../app/stores/company/guests.ts'
import { useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats } from '../../../app/stores/chat/chats.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { writePack } from '../../../src/formats/pack.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import { tinyPack } from '../../support/tinyPack.ts'

let root: HTMLElement
let close: () => void
let name = ''

const sheet = () => page.getByRole('dialog')
const guest = () => useCast.getState().members.find((member) => member.guest)!
/** Chooses a file where the page asks for one; by way of the test's own process it would take seconds for a large one. */
const choose = async (file: File, whose = 'Brine'): Promise<void> => {
  const place = sheet().getByLabelText(`A picture of ${whose}`)
  await expect.element(place).toBeInTheDocument()
  const held = new DataTransfer()
  held.items.add(file)
  const input = place.element() as HTMLInputElement
  input.files = held.files
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

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
  close = await startOnSmallSite(root, () => createFakeEngine({ roles: ['Holmes'] }))
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

test('a role of a pack gets another name, greeting and picture beside its file, which stays as it came', async () => {
  await sheet().getByRole('button', { name: 'Leave as it was' }).click()
  showBackstage(false)
  const pack = {
    name: 'Evening',
    backboneId: 'starter',
    cast: ['Role 1'],
    origin: { kind: 'taught' },
  } as const
  const { id, sha256 } = await keepPack({ ...pack, file: new Blob([await writePack(tinyPack())]) })
  const role = () => useCast.getState().members.find((member) => member.guest?.id === id)!
  await beginChat(role().key)
  showBackstage(true)
  await page.getByRole('button', { name: 'Edit their card' }).click()
  await expect.element(sheet().getByText(/^Weights play Role 1, and stay as they are/)).toBeVisible()
  expect(sheet().getByRole('heading', { name: 'Lorebook' }).elements()).toEqual([])
  await sheet().getByRole('textbox', { name: 'What they are called' }).fill('Marlow')
  await sheet().getByRole('textbox', { name: 'Their first words' }).fill('Come aboard.')
  await choose(await picture(20, 20, 'image/png'), 'Role 1')
  await expect.element(sheet().getByRole('button', { name: 'Take it away' })).toBeVisible()
  await sheet().getByRole('button', { name: 'Keep' }).click()
  await expect.poll(() => role().displayName).toBe('Marlow')
  expect(role()).toMatchObject({ role: 'Role 1', greetings: ['Come aboard.'], isTrained: true })
  expect(role().portrait).toBeInstanceOf(Blob)
  const storage = (await keeping())!
  const [stored] = await storage.library.list()
  expect(stored).toMatchObject({ sha256, roles: useGuests.getState().packs[0]!.roles })
  expect(stored!.cards?.get('Role 1')).toEqual({ nickname: 'Marlow', first_mes: 'Come aboard.' })
  expect((await storage.library.read(id)).size).toBe(stored!.bytes)
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(() => role().displayName).toBe('Role 1')
  expect((await storage.library.list())[0]).not.toHaveProperty('cards')
})

test('whoever came with the page stays as they are, and that is said', async () => {
  await sheet().getByRole('button', { name: 'Leave as it was' }).click()
  await beginChat('Holmes')
  const drawer = page.getByRole('complementary', { name: 'Backstage' })
  await expect
    .element(drawer.getByText(/^Whoever came with the page stays as they are\. Hand Holmes on/))
    .toBeVisible()
  expect(drawer.getByRole('button', { name: 'Edit their card' }).elements()).toEqual([])
})
