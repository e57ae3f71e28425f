import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BrowserContext, Page } from 'playwright'

import { axeViolations, choose, openSite, watch } from '../support/site.ts'
import type { Site, Watch } from '../support/site.ts'

const ANSWER_MS = 400_000

let site: Site
let context: BrowserContext
let page: Page
let notes: Watch

/** The last of the role's messages, once it is whole. */
async function lastAnswer(): Promise<string> {
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
  return page.getByRole('article').last().innerText()
}

async function openChat(name: string): Promise<void> {
  await page.goto(`${site.url}#/`)
  await page.getByRole('region', { name: 'The cast' }).getByText(name).click()
  await page.getByRole('textbox', { name: `Say something to ${name}` }).waitFor()
}

async function say(text: string): Promise<void> {
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill(text)
  await box.press('Enter')
}

beforeAll(async () => {
  site = await openSite()
  context = await site.browser.newContext({ viewport: { width: 1280, height: 800 } })
  await choose(context, site.url)
  notes = watch(context, site)
  page = await context.newPage()
})

afterAll(() => site.close())

describe('a visitor’s first evening', () => {
  test('chooses a character, asks, and watches the answer come', async () => {
    await openChat('Sherlock Holmes')
    await say('Hello! Who are you?')
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    const answer = await lastAnswer()
    expect(answer.length).toBeGreaterThan('Sherlock Holmes'.length + 5)
    await expect.poll(() => page.getByText(/tokens\/s/).count()).toBeGreaterThan(0)
  })

  test('stops an answer and has another, both kept', async () => {
    await page.keyboard.press('Control+Enter')
    await page.getByRole('button', { name: 'Stop' }).click({ timeout: ANSWER_MS })
    await lastAnswer()
    expect(await page.getByText('Version 2 of 2').count()).toBe(1)
    await page.getByRole('button', { name: 'Previous version' }).last().click()
    await page.getByText('Version 1 of 2').waitFor()
  })

  test('finds everything again after a reload, without a request for the model', async () => {
    const before = await page.getByRole('article').allInnerTexts()
    notes.requests.length = 0
    await page.reload()
    await page.getByRole('textbox', { name: /^Say something to/ }).waitFor()
    await expect.poll(() => page.getByRole('article').allInnerTexts()).toEqual(before)
    await say('And what do you fear?')
    await lastAnswer()
    expect(
      notes.requests.filter((address) => /models\/starter|packs\/.*\.safetensors/.test(address)),
    ).toEqual([])
  })

  test('hears two roles answer the same words differently at the same seed', async () => {
    const answers: string[] = []
    for (const name of ['Julius Caesar', 'Elizabeth I']) {
      await openChat(name)
      await page.getByRole('button', { name: 'Backstage' }).click()
      await page.getByRole('radio', { name: 'Exact' }).check({ force: true })
      await page.getByRole('button', { name: 'Close Backstage' }).click()
      await say('What do you think of the sea?')
      const answer = await lastAnswer()
      answers.push(answer.replace(name, ''))
    }
    expect(answers[0]).not.toBe(answers[1])
  })

  test('asks who said it, and why a word stands where it does', async () => {
    await page.getByRole('button', { name: 'Who said it?' }).last().click({ force: true })
    const asked = page.getByRole('dialog', { name: 'Who said it?' })
    await asked.getByText(/^(Most of all like|Nobody here talks)/).waitFor({ timeout: ANSWER_MS })
    const bars = asked.getByRole('list', { name: 'How likely they would have said it' })
    expect(await bars.getByRole('button').count()).toBe(12)
    const spoken = asked.getByRole('region', { name: /^Word by word/ })
    await spoken.getByRole('button').first().click()
    await spoken.getByText('Without a character').waitFor({ timeout: ANSWER_MS })
    expect(await axeViolations(page)).toEqual([])
    await page.keyboard.press('Escape')
    await asked.waitFor({ state: 'detached' })
  })

  test('asks everybody the same, and keeps what another one says', async () => {
    await page.getByRole('button', { name: 'Everybody answers' }).click()
    const asked = page.getByRole('dialog', { name: 'Everybody answers' })
    await asked.getByRole('button', { name: 'Ask once more' }).waitFor({ timeout: ANSWER_MS })
    expect(await asked.getByRole('article').count()).toBe(8)
    expect(await axeViolations(page)).toEqual([])
    const holmes = asked.getByRole('article', { name: 'Sherlock Holmes' })
    const words = await holmes.getByRole('paragraph').first().innerText()
    await holmes.getByRole('button', { name: 'Keep' }).click()
    await asked.waitFor({ state: 'detached' })
    const kept = page.getByRole('article', { name: 'Sherlock Holmes' }).last()
    await expect.poll(() => kept.innerText()).toContain(words)
  })

  test('nothing left the origin and nothing was complained of', () => {
    expect(notes.foreignRequests).toEqual([])
    expect(notes.complaints).toEqual([])
  })
})

describe('no accessibility violations', () => {
  test.each(['light', 'dark'] as const)('cast, chat and Backstage in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.goto(`${site.url}#/`)
    await page.getByRole('region', { name: 'The cast' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await openChat('Sherlock Holmes')
    expect(await axeViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Backstage' }).click()
    await page.getByRole('complementary', { name: 'Backstage' }).waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.getByRole('button', { name: 'Close Backstage' }).click()
  })
})
