import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BrowserContext, Page } from 'playwright'

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

test('an entry is written into a guest’s lorebook, and told once it is called', async () => {
  await page.goto(`${site.url}#/`)
  const data = { name: 'Orla', first_mes: 'The lamp is out.', description: 'A keeper.', tags: ['sea'] }
  await drop('orla.json', { spec: 'chara_card_v2', spec_version: '2.0', data })
  await page.getByRole('dialog').getByRole('button', { name: 'Bring them in' }).click()
  await page.getByRole('region', { name: 'The cast' }).getByText('Orla').first().click()
  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('button', { name: 'Edit their card' }).click()
  const editor = page.getByRole('dialog')
  await editor.getByRole('textbox', { name: 'Who they are' }).fill('She keeps the light at the harbour.')
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
  await expect.poll(async () => (await names()).toSorted()).toEqual(['Orla', 'Wenna', 'Zed'])
  await page.getByRole('combobox', { name: 'Order of the cast' }).selectOption('By name')
  await page.getByRole('button', { name: 'Put Zed first' }).click({ force: true })
  await expect.poll(names).toEqual(['Zed', 'Orla', 'Wenna'])
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
