import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BrowserContext, Page } from 'playwright'

import { axeViolations, choose, openSite, watch } from '../support/site.ts'
import type { Site, Watch } from '../support/site.ts'

/** A step of the tiny configuration takes a second or two on the software adapter, and far longer under load. */
const PATIENCE_MS = 500_000
const STEPS = 4

const lines = Array.from({ length: 10 }, (_, index) =>
  JSON.stringify({
    role: 'Brine',
    messages: [
      { role: 'user', content: `Hello ${index}.` },
      { role: 'assistant', content: 'Mind the rope.' },
    ],
  }),
).join('\n')

let site: Site
let context: BrowserContext
let page: Page
let notes: Watch

async function openTeach(): Promise<void> {
  page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  await page.goto(`${site.url}#/teach`)
}

async function type(label: string, value: string): Promise<void> {
  const field = page.getByRole('textbox', { name: label, exact: true })
  await field.fill(value)
  await field.press('Tab')
}

/** The step that the loss chart has come to; 0 without one. */
async function chartedStep(): Promise<number> {
  const [chart] = await page.getByRole('img', { name: /^Loss\./ }).all()
  const name = await chart?.getAttribute('aria-label')
  return Number(/Step (\d+) of/.exec(name ?? '')?.[1] ?? 0)
}

beforeAll(async () => {
  site = await openSite()
  context = await site.browser.newContext({ viewport: { width: 1280, height: 900 } })
  await choose(context, site.url, { backbone: 'starter', path: 'webgpu', maxTokens: 8 })
  notes = watch(context, site)
  await openTeach()
})

afterAll(() => site.close())

test('a file of lines becomes a plan, and the plan says what it takes here', async () => {
  const file = { name: 'brine.jsonl', mimeType: 'application/jsonl', buffer: Buffer.from(lines) }
  await page.getByLabel('Files of lines').setInputFiles(file)
  await page.getByText('10 dialogues of 1 character').waitFor()
  await page.getByRole('radio', { name: /^Everything/ }).check({ force: true })
  await type('Steps', String(STEPS))
  await type('Ask every', '2')
  await page.getByRole('textbox', { name: 'Questions to ask on the way' }).fill('Hello 1.')
  await page.getByText('Advanced settings').click()
  await type('Dialogues at a time', '1')
  await type('Rank', '1')
  for (const name of ['k', 'v', 'o', 'up', 'down', 'gate']) {
    await page.getByRole('checkbox', { name, exact: true }).uncheck({ force: true })
  }
  expect(await page.getByText(/^About .+ on this machine/).innerText()).toContain(`${STEPS} steps of`)
})

test('the chart moves while the steps are made, and the page is killed in their middle', async () => {
  await page.getByRole('button', { name: 'Start the rehearsal' }).click()
  // By the second step the checkpoint of the first is kept.
  await expect.poll(chartedStep, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(2)
  const crashed = page.waitForEvent('crash')
  const session = await context.newCDPSession(page)
  // The answer never comes: the page is gone.
  session.send('Page.crash').catch(() => undefined)
  await crashed
  await page.close()
})

test('another visit goes on from the checkpoint to the end', async () => {
  await openTeach()
  await page.getByText('The page was closed during the rehearsal').waitFor()
  const kept = await chartedStep()
  expect(kept).toBeGreaterThan(0)
  expect(kept).toBeLessThan(STEPS)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText(`The rehearsal ended at step ${STEPS}.`).waitFor()
  expect(await chartedStep()).toBe(STEPS)
})

test('the same question is answered by the role at every kept step', async () => {
  const machine = page.getByRole('region', { name: 'Ask Brine as they were' })
  await machine.getByText('as they were at the start and at the steps 2 and 4.').waitFor()
  await machine.getByRole('textbox', { name: 'The question' }).fill('Who are you?')
  await machine.getByRole('button', { name: 'Ask' }).click()
  const said = machine.getByRole('region', { name: 'What they said then' })
  const slider = said.getByRole('slider', { name: 'As of step' })
  await machine.getByRole('button', { name: 'Ask' }).waitFor()
  await expect.poll(() => slider.getAttribute('aria-valuetext')).toBe('4')
  expect(await axeViolations(page)).toEqual([])
  await slider.press('Home')
  expect(await slider.getAttribute('aria-valuetext')).toBe('before')
  await said.getByText('Who are you?').waitFor()
})

test('the new role answers', async () => {
  await page.getByRole('button', { name: 'Talk to Brine' }).click()
  const box = page.getByRole('textbox', { name: 'Say something to Brine' })
  await box.fill('Hello.')
  await box.press('Enter')
  await page.getByRole('button', { name: 'Again' }).waitFor()
  const answer = await page.getByRole('article').last().innerText()
  expect(answer).toMatch(/Brine\s+\S/)
  expect(notes.foreignRequests).toEqual([])
  expect(notes.complaints).toEqual([])
})
