import type { Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { choose, keptSettings, openSite, SOFTWARE_GPU, watch } from '../support/site.ts'
import type { Site, Watch } from '../support/site.ts'

const ANSWER_MS = 400_000

/** A visitor who has chosen the tiny model before. */
async function visit(flags: readonly string[]): Promise<{ site: Site; page: Page; notes: Watch }> {
  const site = await openSite(flags)
  const context = await site.browser.newContext()
  await choose(context, site.url, { backbone: 'starter' })
  const notes = watch(context, site)
  const page = await context.newPage()
  await page.goto(site.url)
  return { site, page, notes }
}

async function ask(page: Page, name: string, words: string): Promise<void> {
  await page.getByRole('region', { name: 'The cast' }).getByText(name).first().click()
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill(words)
  await box.press('Enter')
}

test('without WebGPU the processor answers, and the page says so, why, and how fast', async () => {
  const { site, page, notes } = await visit(['--disable-features=WebGPU', '--disable-gpu'])
  await ask(page, 'Sherlock Holmes', 'Hello! Who are you?')
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
  expect(await page.getByRole('article').last().innerText()).toMatch(/\w{2,} \w+/)
  await page.getByText(/^The processor answers, at about [\d.]+ tokens a second$/).waitFor()
  await page
    .getByText(/^(The browser offers no graphics card|This browser has no WebGPU)/)
    .first()
    .waitFor()

  await page.goto(`${site.url}#/teach`)
  await page.getByText('Nobody can rehearse here yet').waitFor()
  expect(notes).toMatchObject({ foreignRequests: [], complaints: [] })
  await site.close()
})

describe('on a software adapter', () => {
  let site: Site
  let page: Page

  beforeAll(async () => {
    const visited = await visit(SOFTWARE_GPU)
    site = visited.site
    page = visited.page
  })
  afterAll(() => site.close())

  test('both ways without a graphics card are measured once, and the faster answers', async () => {
    await ask(page, 'Sherlock Holmes', 'Hello! Who are you?')
    await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
    const { rates } = await keptSettings(page)
    const rate = { prefill: expect.any(Number), decode: expect.any(Number) }
    expect(Object.values(rates as object)).toEqual([{ webgpu: rate, wasm: rate }])

    await page.reload()
    await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
    await page.getByRole('progressbar').waitFor({ state: 'detached', timeout: ANSWER_MS })
    expect((await keptSettings(page))['rates']).toEqual(rates)
  })

  test('a lost graphics device comes back by itself; lost twice, the processor answers', async () => {
    const { rates } = await keptSettings(page)
    const [device = ''] = Object.keys(rates as object)
    const [fast, slow] = [
      { prefill: 9000, decode: 900 },
      { prefill: 9, decode: 1 },
    ]
    await choose(page.context(), site.url, {
      rates: { [device]: { webgpu: fast, wasm: slow } },
      maxTokens: 64,
    })
    await page.goto(`${site.url}#/`)
    await page.reload()
    // Its kernels are compared with onnxruntime on the same file.
    await page.getByRole('button', { name: 'Backstage' }).click()
    await page.getByRole('button', { name: 'Compare with onnxruntime' }).click({ timeout: ANSWER_MS })
    const told = page.getByText(/^The same model: [\d.]+e-\d+ of the squared logits apart\.$/)
    await told.waitFor({ timeout: ANSWER_MS })
    await page.getByText('The likeliest 16 tokens are the same.').waitFor()
    await page.getByRole('button', { name: 'Close Backstage' }).click()
    await ask(page, 'Alice', 'Tell me a long story about a dog.')
    await page.getByText(/· [1-9]\d* tokens so far/).waitFor({ timeout: ANSWER_MS })

    const session = await site.browser.newBrowserCDPSession()
    await session.send('Browser.crashGpuProcess')
    const recovering = page.getByText('The graphics card was lost for a moment')
    await recovering.waitFor()
    await recovering.waitFor({ state: 'detached', timeout: ANSWER_MS })
    await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })

    await session.send('Browser.crashGpuProcess')
    await page.getByRole('button', { name: 'Reload the page' }).waitFor({ timeout: ANSWER_MS })
    await page.getByText(/^The processor answers/).waitFor()
    await page.getByRole('button', { name: 'Again' }).click()
    await page.getByRole('button', { name: 'Stop' }).waitFor()
    await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
    expect(await page.getByText('Version 2 of 2').count()).toBe(1)
  })
})
