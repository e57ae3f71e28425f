import { readFile } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BrowserContext, Page } from 'playwright'

import { ON_PROCESSOR, axeViolations, choose, openSite, watch } from '../support/site.ts'
import type { Site, Watch } from '../support/site.ts'

const ANSWER_MS = 400_000
const NAME = 'Julius Caesar'

let site: Site
const notes: Watch[] = []

/** A visitor of their own, who hears the likeliest words. */
async function visitor(): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
  const context = await site.browser.newContext({ viewport: { width: 1280, height: 900 } })
  await choose(context, site.url, { ...ON_PROCESSOR, mood: 'exact', maxTokens: 24 })
  notes.push(watch(context, site))
  const page = await context.newPage()
  await page.goto(site.url)
  await page.getByRole('region', { name: 'The cast' }).getByText(NAME).first().waitFor()
  return { context, page }
}

async function ask(page: Page, words: string): Promise<string> {
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill(words)
  await box.press('Enter')
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
  return page.getByRole('article').last().innerText()
}

/** Drops a file onto the page, as from a folder. */
async function drop(page: Page, name: string, content: Buffer): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, encoded]) => {
      const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
      const held = new DataTransfer()
      held.items.add(new File([bytes], fileName))
      return held
    },
    [name, content.toString('base64')] as const,
  )
  for (const kind of ['dragover', 'drop']) await page.dispatchEvent('body', kind, { dataTransfer: transfer })
}

beforeAll(async () => {
  site = await openSite()
})

afterAll(() => site.close())

describe('a character handed on', () => {
  let file: Buffer
  let fileName = ''
  let link = ''
  let answer = ''
  let sender: Page

  test('leaves as one file and as a link', async () => {
    const { page } = await visitor()
    sender = page
    await page.getByRole('region', { name: 'The cast' }).getByText(NAME).first().click()
    answer = await ask(page, 'What do you think of the sea?')
    await page.getByRole('button', { name: `Share ${NAME}` }).click()
    const row = page.getByRole('listitem').filter({ hasText: 'The character as rehearsed' })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      row.getByRole('button', { name: /^Save/ }).click({ timeout: ANSWER_MS }),
    ])
    fileName = download.suggestedFilename()
    expect(fileName).toBe('Julius Caesar.hycora.safetensors')
    file = await readFile(await download.path())
    await page.getByRole('button', { name: 'Show it as a code' }).click({ timeout: ANSWER_MS })
    link = await page.getByRole('textbox', { name: 'The link' }).inputValue()
    expect(link).toContain(`${site.url}#/meet/`)
    expect(await axeViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)
  })

  test('says the same, word for word, where the file is dropped', async () => {
    const { page } = await visitor()
    await drop(page, fileName, file)
    const sheet = page.getByRole('dialog')
    await sheet.getByText(fileName).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await sheet.getByRole('button', { name: 'Bring them in' }).click({ timeout: ANSWER_MS })
    await page.getByText(`From ${fileName}`).waitFor({ timeout: ANSWER_MS })
    await page
      .getByRole('button', { name: `Talk to ${NAME}` })
      .first()
      .click()
    expect(await ask(page, 'What do you think of the sea?')).toBe(answer)
  })

  test('comes by the link, too', async () => {
    const { page } = await visitor()
    await page.goto(link)
    const sheet = page.getByRole('dialog')
    await sheet.getByText(/^a link to/).waitFor({ timeout: ANSWER_MS })
    expect(page.url()).toBe(`${site.url}#/`)
    await sheet.getByRole('button', { name: 'Bring them in' }).click()
    await page.getByText(/^From a link to/).waitFor({ timeout: ANSWER_MS })
  })

  test('is mixed with another, heard, and kept', async () => {
    await sender.goto(`${site.url}#/blend`)
    await sender.getByLabel('Begin with').selectOption({ label: NAME })
    await sender.getByLabel('Add somebody').selectOption({ label: 'Elizabeth I' })
    await sender.getByRole('slider', { name: NAME }).press('ArrowRight')
    await sender.getByText('55 %').waitFor()
    await sender.getByRole('button', { name: 'Hear them' }).click()
    await sender.getByText('55 % Julius Caesar, 50 % Elizabeth I').waitFor()
    await sender.getByRole('button', { name: 'Hear them' }).waitFor({ timeout: ANSWER_MS })
    expect(await axeViolations(sender)).toEqual([])
    await sender.getByRole('button', { name: 'Keep them and talk' }).click()
    await sender
      .getByRole('heading', { name: 'Julius Caesar and Elizabeth I' })
      .waitFor({ timeout: ANSWER_MS })
  })

  test('lies in the house where it can be counted, on a phone and in the dark', async () => {
    await sender.setViewportSize({ width: 390, height: 844 })
    await sender.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
    await sender.getByRole('button', { name: 'Backstage' }).click()
    await sender.getByText('Everybody taught, blended or brought in.').waitFor()
    expect(await axeViolations(sender)).toEqual([])
    const [download] = await Promise.all([
      sender.waitForEvent('download'),
      sender.getByRole('button', { name: 'Save a backup' }).click(),
    ])
    expect(download.suggestedFilename()).toMatch(/^HyCoRA \d{4}-\d\d-\d\d\.zip$/)
    await sender.getByRole('button', { name: 'Close Backstage' }).click()
    await sender.getByRole('button', { name: /^Share Julius Caesar and/ }).click()
    await sender.getByText('The character as rehearsed').waitFor({ timeout: ANSWER_MS })
    expect(await axeViolations(sender)).toEqual([])
  })

  test('nothing left the origin and nothing was complained of', () => {
    expect(notes.flatMap(({ foreignRequests }) => foreignRequests)).toEqual([])
    expect(notes.flatMap(({ complaints }) => complaints)).toEqual([])
  })
})
