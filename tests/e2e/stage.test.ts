import { readFile } from 'node:fs/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BrowserContext, Locator, Page } from 'playwright'

import { readCardFile } from '../../src/formats/cardFile.ts'
import { picture } from '../support/png.ts'
import { ON_PROCESSOR, axeViolations, choose, openSite, watch } from '../support/site.ts'
import type { Site, Watch } from '../support/site.ts'

const ANSWER_MS = 400_000

let site: Site
let context: BrowserContext
let page: Page
let notes: Watch

beforeAll(async () => {
  site = await openSite()
  context = await site.browser.newContext({ viewport: { width: 1280, height: 900 } })
  await choose(context, site.url, { ...ON_PROCESSOR, mood: 'exact', cardText: 'card' })
  await context.addInitScript(speakWithOneVoice)
  await context.addInitScript(holdLaunches)
  notes = watch(context, site)
  page = await context.newPage()
})

afterAll(() => site.close())

/** Runs in the page: a voice of the device, since a browser without a screen has none, which says what it is given at once. */
function speakWithOneVoice(): void {
  const voice = { name: 'Ada', lang: 'en-GB', localService: true, default: true, voiceURI: 'urn:Ada' }
  const said: string[] = []
  const speak = (one: EventTarget & { readonly text: string }): void => {
    said.push(one.text)
    queueMicrotask(() => one.dispatchEvent(new Event('end')))
  }
  const voices = Object.assign(new EventTarget(), {
    getVoices: () => [voice],
    speak,
    cancel: () => undefined,
  })
  Object.defineProperty(globalThis, 'speechSynthesis', { value: voices })
  class Utterance extends EventTarget {
    readonly text: string
    constructor(text: string) {
      super()
      this.text = text
    }
  }
  Object.assign(globalThis, { SpeechSynthesisUtterance: Utterance, said })
}

/** Runs in the page: the queue of an installed page, since nobody installs it here; what is given to `launch` is opened with it. */
function holdLaunches(): void {
  const queue = { setConsumer: (launch: unknown) => Object.assign(globalThis, { launch }) }
  Object.defineProperty(globalThis, 'launchQueue', { value: queue })
}

/** Runs in the page: the system opens a file with it. */
function launchWith([name, text]: readonly [string, string]): void {
  const file = new File([text], name)
  const { launch } = globalThis as unknown as { readonly launch: (launched: unknown) => void }
  launch({ files: [{ getFile: () => Promise.resolve(file) }] })
}

/** Runs in the page: what a browser does that finds it worth installing, which one without a screen does not. */
function offerToInstall(): void {
  const offer = new Event('beforeinstallprompt', { cancelable: true })
  const held = {
    prompt: () => {
      Object.assign(globalThis, { isPrompted: true })
      return Promise.resolve()
    },
  }
  window.dispatchEvent(Object.assign(offer, held))
}

async function ask(words: string): Promise<void> {
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill(words)
  await box.press('Enter')
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
}

/** Drops a file of JSON onto the page, or several at once. */
async function drop(name: string, ...values: readonly unknown[]): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, texts]) => {
      const held = new DataTransfer()
      for (const [index, text] of texts.entries())
        held.items.add(new File([text], `${index || ''}${fileName}`, { type: 'application/json' }))
      return held
    },
    [name, values.map((value) => JSON.stringify(value))] as const,
  )
  for (const kind of ['dragover', 'drop']) await page.dispatchEvent('body', kind, { dataTransfer: transfer })
}

/** The prompt, and all that is told of it. */
async function sent(): Promise<string> {
  await page.getByRole('button', { name: /of 1,024 tokens/ }).click()
  const dialog = page.getByRole('dialog', { name: 'What is sent to the model' })
  await dialog.getByRole('region', { name: 'The prompt' }).waitFor()
  const text = await dialog.innerText()
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  return text
}

test('a lorebook goes with a chat, and what is sent tells what of it, and why', async () => {
  await page.goto(site.url)
  await page.getByRole('region', { name: 'The cast' }).getByText('Alice').first().click()
  await page.getByRole('textbox', { name: 'Say something to Alice' }).waitFor()
  const entry = { uid: 0, key: ['harbour'], content: 'The harbour is frozen.', comment: 'Harbour', order: 1 }
  await drop('harbour.json', { entries: { 0: entry } })
  await page.getByRole('dialog').getByRole('button', { name: 'Let it go with them' }).click()
  await ask('How is the harbour?')
  const told = await sent()
  expect(told).toContain('The harbour is frozen.')
  expect(told).toContain('“harbour” was said')
})

test('a persona, what is so, a note and a message that is kept in mind are told from then on', async () => {
  await page.getByRole('button', { name: 'Keep in mind' }).first().click({ force: true })
  await page.getByRole('button', { name: 'Backstage' }).click()
  const drawer = page.getByRole('complementary', { name: 'Backstage' })
  await drawer.getByRole('button', { name: 'Another persona' }).click()
  await drawer.getByRole('textbox', { name: 'Name' }).last().fill('Brack')
  await drawer.getByRole('textbox', { name: 'What they know of you' }).last().fill('Brack steers the ferry.')
  await drawer.getByRole('combobox', { name: 'In this chat you are' }).selectOption('Brack')
  const facts = drawer.getByRole('textbox', { name: 'What is so, one a line' })
  const pinned = await facts.inputValue()
  expect(pinned.length).toBeGreaterThan(10)
  await facts.fill(`${pinned}\nThe lamp is out.`)
  await drawer.getByRole('textbox', { name: 'A note on how it goes on' }).fill('It begins to rain.')
  await drawer.getByRole('slider', { name: 'Keeps to the question' }).press('ArrowRight')
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  await ask('And the lamp?')
  const told = await sent()
  for (const words of ['Brack steers the ferry.', 'The lamp is out.', 'It begins to rain.'])
    expect(told).toContain(words)
  expect(told).toContain('To keep to the question')
})

/** Opens the drawer, does something there, and closes it. */
async function backstage(act: (drawer: Locator) => Promise<void>): Promise<void> {
  await page.getByRole('button', { name: 'Backstage' }).click()
  await act(page.getByRole('complementary', { name: 'Backstage' }))
  await page.getByRole('button', { name: 'Close Backstage' }).click()
}

/** The same question answered once more. */
async function again(version: number): Promise<string> {
  await page.getByRole('button', { name: 'Again' }).click()
  await page.getByText(`Version ${version} of ${version}`).last().waitFor({ timeout: ANSWER_MS })
  await page.getByRole('button', { name: 'Send' }).waitFor({ timeout: ANSWER_MS })
  return lastSaid()
}

const lastSaid = (): Promise<string> =>
  page.getByRole('article').last().getByRole('paragraph').first().innerText()

test('an answer leans into the role where that is asked for, and what is sent says so', async () => {
  const before = await lastSaid()
  const slider = page.getByRole('slider', { name: 'Leans into the role' })
  await backstage(async () => slider.press('End'))
  expect(await sent()).toContain('To lean into the role (3), the bare model reads the same beside it')
  expect(await again(2)).not.toBe(before)
  await backstage(async () => slider.press('Home'))
  expect(await sent()).not.toContain('To lean into the role')
})

test('an answer ends before a string that is set to end it', async () => {
  const whole = await again(3)
  const stop = whole.slice(6, 10)
  await backstage(async (drawer) => {
    await drawer.getByText('The numbers').click()
    const stops = drawer.getByRole('textbox', { name: 'An answer ends before, one a line' })
    await stops.fill(`${await stops.inputValue()}\n${stop}`)
    expect(await axeViolations(page)).toEqual([])
  })
  expect(await again(4)).toBe(whole.slice(0, whole.indexOf(stop)).trim())
  await backstage(async (drawer) => {
    await drawer.getByText('The numbers').click()
    await drawer
      .getByRole('textbox', { name: 'An answer ends before, one a line' })
      .fill(String.raw`\n{{user}}:`)
  })
})

test('of several personas another one is told where it is chosen', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  const drawer = page.getByRole('complementary', { name: 'Backstage' })
  await drawer.getByRole('button', { name: 'Another persona' }).click()
  await drawer.getByRole('textbox', { name: 'Name' }).last().fill('Vera')
  await drawer.getByRole('textbox', { name: 'What they know of you' }).last().fill('Vera paints the sea.')
  const chosen = drawer.getByRole('combobox', { name: 'In this chat you are' })
  await chosen.selectOption('Vera')
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  const told = await sent()
  expect(told).toContain('Vera paints the sea.')
  expect(told).not.toContain('Brack steers the ferry.')
  await page.getByRole('button', { name: 'Backstage' }).click()
  await chosen.selectOption('Brack')
  await page.getByRole('button', { name: 'Close Backstage' }).click()
})

test('the model sums up what was said, the visitor changes it, and it is told', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  const mind = page.getByRole('region', { name: 'In mind' })
  const recap = mind.getByRole('textbox', { name: 'What happened so far' })
  await mind.getByRole('button', { name: 'Sum up what was said' }).click()
  await mind.getByRole('button', { name: 'Sum it up anew' }).waitFor({ timeout: ANSWER_MS })
  expect((await recap.inputValue()).trim()).not.toBe('')
  expect(await axeViolations(page)).toEqual([])
  await recap.fill('They spoke of ice.')
  await mind.getByRole('textbox', { name: 'A note on how it goes on' }).click()
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  expect(await sent()).toContain('What happened before:\nThey spoke of ice.')
})

test('an answer is read aloud when that is asked for, and never before', async () => {
  const said = (): Promise<string> =>
    page.evaluate(() => (globalThis as unknown as { readonly said: readonly string[] }).said.join(' '))
  expect(await said()).toBe('')
  const answer = page.getByRole('article').last()
  const words = await answer.getByRole('paragraph').first().innerText()
  await answer.getByRole('button', { name: 'Read aloud' }).click({ force: true })
  await expect.poll(said).toContain(words.slice(0, 10))
})

test('the model writes the visitor’s line', async () => {
  await page.getByRole('button', { name: 'Write my line' }).click()
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await expect.poll(() => box.inputValue(), { timeout: ANSWER_MS }).not.toBe('')
  await page.getByRole('button', { name: 'Send' }).waitFor({ timeout: ANSWER_MS })
  await box.fill('')
})

test('what was said is found again', async () => {
  await page.goto(`${site.url}#/search`)
  await page.getByRole('searchbox', { name: 'Search all chats' }).fill('how harbour')
  await page.getByText('One message in one chat.').waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page
    .getByRole('link', { name: /^Go to what Brack said|^Go to what .* said: How is the harbour/ })
    .click()
  await page.getByRole('article').filter({ hasText: 'How is the harbour?' }).waitFor()
})

test('whoever stands on the map answers, and a path leads from one to another', async () => {
  await page.goto(`${site.url}#/map`)
  await page.getByRole('button', { name: 'Stand where Alice is' }).click({ timeout: ANSWER_MS })
  await page.getByRole('radio', { name: 'Neighbours (t-SNE)' }).check({ force: true })
  await page.getByLabel('From').selectOption({ label: 'Alice' })
  await page.getByLabel('To', { exact: true }).selectOption({ label: 'Sherlock Holmes' })
  await page.getByLabel('In so many answers').selectOption('3')
  await page.getByRole('button', { name: 'Begin the path' }).click()
  await page.getByText('Answer 1 of 3: 100 % Alice.').waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Hear them' }).click()
  await page.getByText('Answer 2 of 3: 50 % Alice, 50 % Sherlock Holmes.').waitFor({ timeout: ANSWER_MS })
})

test('a guest’s card gets another name, greeting, picture and an entry, which is told once it is called', async () => {
  await page.goto(`${site.url}#/`)
  const data = { name: 'Orla', first_mes: 'The lamp is out.', description: 'A keeper.', tags: ['sea'] }
  await drop('orla.json', { spec: 'chara_card_v2', spec_version: '2.0', data })
  await page.getByRole('dialog').getByRole('button', { name: 'Bring them in' }).click()
  await page.getByRole('region', { name: 'The cast' }).getByText('Orla').first().click()
  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('button', { name: 'Edit their card' }).click()
  const editor = page.getByRole('dialog')
  await editor.getByRole('textbox', { name: 'Who they are' }).fill('She keeps the light at the harbour.')
  await editor.getByRole('textbox', { name: 'What they are called' }).fill('Orla Reed')
  await editor.getByRole('textbox', { name: 'Their first words' }).fill('Come in from the wind.')
  const buffer = Buffer.from(picture({ width: 12, height: 15 }))
  await editor.getByLabel('A picture of Orla').setInputFiles({ name: 'o.png', mimeType: 'image/png', buffer })
  await editor.getByRole('button', { name: 'Take it away' }).waitFor()
  await editor.getByRole('button', { name: 'Another entry' }).click()
  await editor.getByRole('textbox', { name: 'Words that call it, one a line' }).fill('oil\nwick')
  await editor.getByRole('textbox', { name: 'What it says' }).fill('The oil ran out on Sunday.')
  expect(await axeViolations(page)).toEqual([])
  await editor.getByRole('button', { name: 'Keep' }).click()
  await page.getByText('The card of Orla is changed.').waitFor()
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  await ask('Is there a wick?')
  const told = await sent()
  expect(told).toContain('The oil ran out on Sunday.')
  expect(told).toContain('“wick” was said')
})

test('the changed card is there on the next visit, and goes out as it is', async () => {
  await page.goto(`${site.url}#/`)
  await page.reload()
  const cast = page.getByRole('region', { name: 'The cast' })
  const tile = cast.getByRole('listitem').filter({ hasText: 'Orla Reed' })
  const drawn = (): Promise<number> =>
    tile.locator('img').evaluate((img: HTMLImageElement) => img.naturalWidth)
  await expect.poll(drawn).toBe(12)
  await page.getByRole('button', { name: 'Share Orla Reed' }).click({ force: true })
  const row = page.getByRole('listitem').filter({ hasText: 'A picture with the card in it (PNG)' })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    row.getByRole('button', { name: /^Save/ }).click({ timeout: ANSWER_MS }),
  ])
  const { card, portrait } = readCardFile(await readFile(await download.path()), 'orla.png')
  expect(card).toMatchObject({ nickname: 'Orla Reed', first_mes: 'Come in from the wind.' })
  expect(JSON.stringify(card['character_book'])).toContain('The oil ran out on Sunday.')
  expect(portrait?.bytes.length).toBeGreaterThan(60)
  await page.keyboard.press('Escape')
})

test('a file that the system opens with the installed page is looked at', async () => {
  const handlers = await page.evaluate(async () => {
    const manifest: unknown = await (await fetch('manifest.webmanifest')).json()
    return (manifest as { readonly file_handlers: readonly { readonly accept: object }[] }).file_handlers
  })
  const accepted = handlers.flatMap(({ accept }) => Object.values(accept).flat())
  expect(new Set(accepted)).toEqual(new Set(['.charx', '.json', '.png', '.safetensors']))
  const data = { name: 'Marlow', first_mes: 'Fog again.' }
  await page.evaluate(launchWith, ['marlow.json', JSON.stringify({ spec: 'chara_card_v2', data })] as const)
  await page.getByRole('dialog').getByText('Marlow').first().waitFor()
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

test('among many, tags narrow the cast, favourites stand first, and an order is chosen', async () => {
  await page.goto(`${site.url}#/`)
  const guests = ['Wenna', 'Zed', 'Una', 'Bran'].map((name, index) => ({
    spec: 'chara_card_v2',
    spec_version: '2.0',
    data: { name, first_mes: 'Ahoy.', tags: index < 2 ? ['sea'] : ['moor'] },
  }))
  await drop('guest.json', ...guests)
  await page.getByRole('dialog').getByRole('button', { name: 'Bring everybody in' }).click()
  const cast = page.getByRole('region', { name: 'The cast' })
  const names = (): Promise<string[]> => cast.locator('li bdi').allInnerTexts()
  await page.getByRole('group', { name: 'Tags' }).getByRole('button', { name: /^sea/ }).click()
  await expect.poll(async () => (await names()).toSorted()).toEqual(['Orla Reed', 'Wenna', 'Zed'])
  await page.getByRole('combobox', { name: 'Order of the cast' }).selectOption('By name')
  await page.getByRole('button', { name: 'Put Zed first' }).click({ force: true })
  await expect.poll(names).toEqual(['Zed', 'Orla Reed', 'Wenna'])
  expect(await axeViolations(page)).toEqual([])
  await page.reload()
  await expect.poll(async () => (await names()).slice(0, 3)).toEqual(['Zed', 'Abraham Lincoln', 'Alice'])
})

test('the page is installed when that is asked for, and never before', async () => {
  const install = page.getByRole('button', { name: 'Install this page' })
  expect(await install.count()).toBe(0)
  await page.evaluate(offerToInstall)
  const isPrompted = (): Promise<boolean> => page.evaluate(() => 'isPrompted' in globalThis)
  await install.waitFor()
  expect([await isPrompted(), await axeViolations(page)]).toEqual([false, []])
  await install.click()
  expect([await isPrompted(), await install.count()]).toEqual([true, 0])
})

test('nothing left the origin and nothing was complained of', () => {
  expect(notes.foreignRequests).toEqual([])
  expect(notes.complaints).toEqual([])
})
