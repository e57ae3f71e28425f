import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

import { readCast } from '../../../src/cast/member.ts'
import { visibleMessages } from '../../../src/storage/chat.ts'
import { openMemoryLog } from '../../../src/storage/memoryLog.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { startOnSmallSite } from '../../support/smallSite.ts'
import { assignRoles, useCast } from '../../../app/stores/company/cast.ts'
import { beginChat, openChats, useChats } from '../../../app/stores/chat/chats.ts'
import { again, say, useGeneration } from '../../../app/stores/chat/generation.ts'
import { useReading } from '../../../app/stores/chat/reading.ts'
import { useEngine } from '../../../app/stores/engine/engine.ts'
import { useNotices } from '../../../app/stores/page/notices.ts'
import { showBackstage } from '../../../app/stores/page/session.ts'
import { changeSettings, useSettings } from '../../../app/stores/page/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import { createFakeVoices } from '../../support/fakeVoices.ts'
import type { FakeVoices } from '../../support/fakeVoices.ts'

const shipped = readCast({
  Alice: { displayName: 'Alice', card: { first_mes: '*She curtsies.* Who is there?' } },
})
const distant = { name: 'Cloud', lang: 'en-US', localService: false, default: true }
const near = [
  { name: 'Anton', lang: 'de-DE', localService: true },
  { name: 'Emma', lang: 'en-GB', localService: true },
  { name: 'Tingting', lang: 'zh-CN', localService: true },
]

let close: () => void
let root: HTMLElement
/** Words wait until they are let go. */
let letGo: (() => void)[]
let isHeld: boolean

const read = page.getByRole('button', { name: 'Read aloud' })
const stop = page.getByRole('button', { name: 'Stop reading' })
const open = () => useChats.getState().open!
const texts = (voices: FakeVoices) => voices.given.map(({ text }) => text)

const withVoices = (voices: Parameters<typeof createFakeVoices>[0]): FakeVoices => {
  const fake = createFakeVoices(voices)
  for (const [name, value] of Object.entries(fake.globals)) vi.stubGlobal(name, value)
  return fake
}

const begin = async (): Promise<void> => {
  await beginChat('Alice')
  await expect.element(page.getByRole('textbox', { name: 'Say something to Alice' })).toHaveFocus()
}

/** Lets go word by word until the answer has these. */
const untilSaid = (words: string): Promise<void> =>
  expect
    .poll(() => {
      const text = useGeneration.getState().live?.text ?? ''
      if (!text.includes(words)) letGo.shift()?.()
      return text
    })
    .toContain(words)

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  letGo = []
  isHeld = false
  const engine = createFakeEngine({
    roles: ['Alice'],
    answers: ['Mr. Hatter is out. He took the tea with him.', '好的。 再见。'],
    pause: () => (isHeld ? new Promise<void>((resolve) => letGo.push(resolve)) : Promise.resolve()),
  })
  close = await startOnSmallSite(root, () => engine)
  changeSettings({ ...defaultSettings, backbone: 'starter' })
  await openChats(() => Promise.resolve(openMemoryLog()))
  useCast.setState({ shipped })
  assignRoles(useEngine.getState().info!.roles)
  await begin()
})
afterEach(() => {
  showBackstage(false)
  close()
  root.remove()
  vi.unstubAllGlobals()
  changeSettings(defaultSettings)
})

test('a greeting is read with a voice of this device, by sentences and without its marks', async () => {
  const voices = withVoices([distant, ...near])
  await read.click()
  await expect.poll(() => texts(voices)).toEqual(['She curtsies.', 'Who is there?'])
  expect(voices.given.map(({ voice }) => voice?.name)).toEqual(['Emma', 'Emma'])
  await expect.element(stop).toBeVisible()
  voices.next()
  await expect.element(stop).toBeVisible()
  voices.next()
  await expect.element(read).toBeVisible()
})

test('an answer is read while it is being said, and nothing is read by itself', async () => {
  const voices = withVoices(near)
  await say('Hello')
  isHeld = true
  const answered = again()
  await untilSaid('好')
  expect(voices.given).toEqual([])
  isHeld = false
  for (const go of letGo) go()
  await answered
  await read.last().click()
  await expect.poll(() => texts(voices)).toEqual(['好的。', '再见。'])
  expect(voices.given[0]?.voice?.name).toBe('Tingting')
  await stop.click()
  await expect.poll(() => voices.queue).toEqual([])

  isHeld = true
  letGo = []
  const third = again()
  await untilSaid('is')
  await page.getByRole('button', { name: 'Read aloud' }).last().click()
  await expect.poll(() => useReading.getState().message).toBe(useGeneration.getState().live!.message)
  expect(texts(voices)).toHaveLength(2)
  await untilSaid('took')
  await expect.poll(() => texts(voices).slice(2)).toEqual(['Mr. Hatter is out.'])
  // What has been said is over before more has come: the reading waits for it.
  voices.next()
  await expect.element(stop).toBeVisible()
  isHeld = false
  for (const go of letGo) go()
  await third
  await expect.poll(() => texts(voices).slice(3)).toEqual(['He took the tea with him.'])
  voices.next()
  await expect.element(stop).not.toBeInTheDocument()
})

test('it stops with its button, with the chat, and where other words take the place', async () => {
  const voices = withVoices(near)
  await read.click()
  await expect.poll(() => voices.queue.length).toBe(2)
  await stop.click()
  await expect.poll(() => voices.queue).toEqual([])
  await say('Hello')
  await read.last().click()
  await expect.poll(() => voices.queue.length).toBe(2)
  await again()
  await expect.poll(() => [voices.queue.length, useReading.getState().message]).toEqual([0, null])
  await read.last().click()
  await expect.poll(() => voices.queue.length).toBe(2)
  location.hash = '#/'
  await expect.poll(() => [voices.queue.length, useReading.getState().message]).toEqual([0, null])
})

test('where no voice of this device is there, it says so', async () => {
  const voices = withVoices([distant])
  await read.click()
  await expect.element(page.getByText(/finds no voice on this device/)).toBeVisible()
  expect(voices.given).toEqual([])
  showBackstage(true)
  await expect.element(page.getByRole('region', { name: 'Voice' })).toHaveTextContent(/finds no voice/)
})

test('where the browser lists no voice at all, it says so too', async () => {
  withVoices([])
  await read.click()
  await expect.element(page.getByText(/finds no voice on this device/)).toBeVisible()
  await expect.element(read).toBeVisible()
})

test('a voice that fails is named', async () => {
  const voices = withVoices(near)
  await read.click()
  await expect.poll(() => voices.queue.length).toBe(2)
  voices.next('synthesis-failed')
  await expect
    .poll(() => useNotices.getState().notice?.text)
    .toBe('The voice Emma stopped: synthesis-failed.')
  expect([voices.queue.length, useReading.getState().message]).toEqual([0, null])
})

test('each character has a voice, a pitch and a pace of its own', async () => {
  const voices = withVoices(near)
  showBackstage(true)
  const section = page.getByRole('region', { name: 'Voice' })
  await section.getByRole('combobox', { name: 'Who reads for Alice' }).selectOptions('Anton · de-DE')
  const pitch = section.getByRole('slider', { name: 'Pitch' })
  pitch.element().focus()
  await userEvent.keyboard('{ArrowRight}{ArrowRight}')
  section.getByRole('slider', { name: 'Pace' }).element().focus()
  await userEvent.keyboard('{ArrowLeft}')
  await expect
    .poll(() => useSettings.getState().voices)
    .toEqual({ Alice: { voice: 'urn:Anton', pitch: 1.1, pace: 0.95 } })
  await section.getByRole('button', { name: 'Hear it' }).click()
  expect(voices.given[0]).toMatchObject({ pitch: 1.1, rate: 0.95, voice: { name: 'Anton' } })
  showBackstage(false)
  await read.click()
  await expect.poll(() => voices.given[1]).toMatchObject({ pitch: 1.1, voice: { name: 'Anton' } })
  // Nobody's voice is chosen for whoever speaks without a card.
  expect(visibleMessages(open())[0]?.key).toBe('Alice')
})
