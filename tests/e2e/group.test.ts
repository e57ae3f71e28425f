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
  context = await site.browser.newContext({ viewport: { width: 360, height: 740 } })
  await choose(context, site.url, { ...ON_PROCESSOR, mood: 'exact' })
  notes = watch(context, site)
  page = await context.newPage()
})

afterAll(() => site.close())

const names = () => page.getByRole('article').evaluateAll((all) => all.map((one) => one.ariaLabel))
/** So many messages stand there, and nobody speaks. */
async function isOver(messages: number): Promise<void> {
  await expect.poll(names, { timeout: ANSWER_MS }).toHaveLength(messages)
  await page.getByRole('button', { name: 'Send' }).waitFor({ timeout: ANSWER_MS })
}

test('two are brought together, answer in turn, and are there again after a reload', async () => {
  await page.goto(`${site.url}#/`)
  await page.getByRole('link', { name: 'Several at once' }).click()
  for (const name of ['Alice', 'Sherlock Holmes']) {
    await page.getByRole('checkbox', { name }).check({ force: true })
  }
  await page.getByRole('combobox', { name: 'Who answers' }).selectOption('list')
  expect(await axeViolations(page)).toEqual([])
  await page.getByRole('button', { name: 'Begin' }).click()
  const box = page.getByRole('textbox', { name: 'Say something to them' })
  await box.fill('Who are you?')
  await box.press('Enter')
  await isOver(5)
  expect(await names()).toEqual(['Alice', 'Sherlock Holmes', 'You', 'Alice', 'Sherlock Holmes'])
  expect(await axeViolations(page)).toEqual([])
  const before = await page.getByRole('article').allInnerTexts()
  await page.reload()
  await box.waitFor()
  await expect.poll(() => page.getByRole('article').allInnerTexts()).toEqual(before)
})

test('one is given the word, and says the same once more where the likeliest is said', async () => {
  const speaker = page.getByRole('group', { name: 'Who speaks' }).getByRole('button', { name: /Alice$/ })
  await speaker.click()
  await isOver(6)
  expect((await names()).at(-1)).toBe('Alice')
  const said = await page.getByRole('article').last().getByRole('paragraph').first().innerText()
  await page.getByRole('button', { name: 'Again' }).click()
  await page.getByText('Version 2 of 2').last().waitFor({ timeout: ANSWER_MS })
  await isOver(6)
  expect(await page.getByRole('article').last().getByRole('paragraph').first().innerText()).toBe(said)
})

/** Sets how they take turns, says something, and gives those who spoke since. */
async function spokenIn(order: string, words: string): Promise<(string | null)[]> {
  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('combobox', { name: 'Who answers' }).selectOption(order)
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  const before = (await names()).length
  const box = page.getByRole('textbox', { name: 'Say something to them' })
  await box.fill(words)
  await box.press('Enter')
  await expect.poll(async () => (await names()).length).toBeGreaterThan(before)
  await page.getByRole('button', { name: 'Send' }).waitFor({ timeout: ANSWER_MS })
  return (await names()).slice(before + 1)
}

test('whoever is named answers, or one who has not, or nobody before they are given the word', async () => {
  expect((await spokenIn('natural', 'And you, Holmes?'))[0]).toBe('Sherlock Holmes')
  expect(await spokenIn('pooled', 'Is it late?')).toHaveLength(1)
  expect(await spokenIn('manual', 'Well?')).toEqual([])
  const before = (await names()).length
  await page
    .getByRole('group', { name: 'Who speaks' })
    .getByRole('button', { name: /Holmes$/ })
    .click()
  await isOver(before + 1)
  expect((await names()).at(-1)).toBe('Sherlock Holmes')
})

test('one joins and one leaves, and the smallest model is not asked to sum up', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  const drawer = page.getByRole('complementary', { name: 'Backstage' })
  await drawer.getByRole('combobox', { name: 'Ask somebody in' }).selectOption('Count Dracula')
  await drawer.getByRole('button', { name: 'Let Alice leave' }).click()
  const members = drawer.getByRole('list', { name: 'Who plays' }).getByRole('listitem')
  await expect.poll(() => members.count()).toBe(2)
  expect(await drawer.getByRole('button', { name: /^Sum / }).count()).toBe(0)
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  expect(await spokenIn('list', 'Who is there?')).toEqual(['Sherlock Holmes', 'Count Dracula'])
})

test('what was said goes out as a chat and as a group', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  const files: string[] = []
  for (const label of ['Save to a file', 'Save the group']) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: label }).click(),
    ])
    files.push(download.suggestedFilename())
  }
  expect(files[0]).toMatch(/^Sherlock Holmes and Count Dracula - \d{4}-\d\d-\d\d\.jsonl$/)
  expect(files[1]).toBe('Sherlock Holmes and Count Dracula.json')
  expect(await axeViolations(page)).toEqual([])
  expect(notes.foreignRequests).toEqual([])
  expect(notes.complaints).toEqual([])
})
