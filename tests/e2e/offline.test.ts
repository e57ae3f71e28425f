import { readFile, rm } from 'node:fs/promises'

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser, BrowserContext, Page } from 'playwright'

import { ON_PROCESSOR, axeViolations, choose, openBrowser } from '../support/site.ts'
import { buildPublished, serveCopy } from '../support/siteCopy.ts'
import type { SiteCopy } from '../support/siteCopy.ts'

const ANSWER_MS = 400_000

let browser: Browser
let built = ''
const sites: SiteCopy[] = []

beforeAll(async () => {
  built = await buildPublished()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  for (const site of sites) await site.remove()
  await rm(built, { recursive: true, force: true })
})

async function serve(base?: string): Promise<SiteCopy> {
  const site = await serveCopy(built, base)
  sites.push(site)
  return site
}

async function visitor(site: SiteCopy, path: 'webgpu' | 'wasm' = 'wasm'): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  await choose(context, site.url, { ...ON_PROCESSOR, path, mood: 'exact' })
  return context
}

async function visit(context: BrowserContext, site: SiteCopy): Promise<Page> {
  const page = await context.newPage()
  await page.goto(site.url)
  await page.getByRole('region', { name: 'The cast' }).getByText('Alice').first().waitFor()
  return page
}

async function ask(page: Page, words: string): Promise<void> {
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill(words)
  await box.press('Enter')
}

async function answered(page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
  return page.getByRole('article').last().innerText()
}

/** Talks to Alice, and waits until the page and what computes it are kept. */
async function firstVisit(context: BrowserContext, site: SiteCopy, path: 'webgpu' | 'wasm'): Promise<void> {
  const page = await visit(context, site)
  await page.getByRole('region', { name: 'The cast' }).getByText('Alice').first().click()
  await ask(page, 'Who are you?')
  await answered(page)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  const keepsProcessor = (): Promise<number> =>
    page.evaluate(async () => (await (await caches.open('hycora-processor')).keys()).length)
  await expect.poll(keepsProcessor, { timeout: 60_000 }).toBe(path === 'wasm' ? 2 : 0)
  await page.close()
}

/** Notes what a context asks for that nothing on this device answers. */
function watchUnanswered(context: BrowserContext): string[] {
  const unanswered: string[] = []
  context.on('requestfailed', (request) => unanswered.push(request.url()))
  return unanswered
}

describe.each(['webgpu', 'wasm'] as const)('with the network cut after the first visit, on %s', (path) => {
  let context: BrowserContext
  let page: Page
  let unanswered: string[]

  afterAll(() => context.close())

  test('the page opens with what was said, and answers', async () => {
    const site = await serve()
    context = await visitor(site, path)
    await firstVisit(context, site, path)
    await site.cut()
    await context.setOffline(true)
    unanswered = watchUnanswered(context)
    page = await visit(context, site)
    await page.getByRole('link', { name: /^Who are you\?/ }).click()
    await expect.poll(() => page.getByRole('article').count()).toBe(3)
    await ask(page, 'And what do you fear?')
    expect((await answered(page)).length).toBeGreaterThan('Alice'.length + 3)
    expect(await page.getByRole('article').count()).toBe(5)
  })

  test('a card comes in and plays', async () => {
    const card = {
      spec: 'chara_card_v2',
      spec_version: '2.0',
      data: { name: 'Orla', first_mes: 'The lamp is out.' },
    }
    const transfer = await page.evaluateHandle((text) => {
      const held = new DataTransfer()
      held.items.add(new File([text], 'orla.json'))
      return held
    }, JSON.stringify(card))
    for (const kind of ['dragover', 'drop'])
      await page.dispatchEvent('body', kind, { dataTransfer: transfer })
    await page.getByRole('dialog').getByRole('button', { name: 'Bring them in' }).first().click()
    await page.goto(`${page.url().split('#')[0]}#/`)
    await page.getByRole('region', { name: 'The cast' }).getByText('Orla').first().click()
    await expect.poll(() => page.getByText('The lamp is out.').count()).toBeGreaterThan(0)
  })

  test('a character and all that is kept go out', async () => {
    await page.getByRole('button', { name: 'Share Orla' }).click()
    const [shared] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: /^Save/ }).first().click(),
    ])
    expect((await readFile(await shared.path())).length).toBeGreaterThan(20)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Backstage' }).click()
    const [backup] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save a backup' }).click(),
    ])
    expect(backup.suggestedFilename()).toMatch(/^HyCoRA .*\.zip$/)
  })

  test('nothing was asked for that is not on this device', () => {
    expect(unanswered).toEqual([])
  })
})

test('a site in a folder of its host keeps its own page', async () => {
  const site = await serve('/play/here/')
  const context = await visitor(site)
  const page = await visit(context, site)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  await site.cut()
  await visit(context, site)
  const scope = await page.evaluate(async () => (await navigator.serviceWorker.ready).scope)
  expect(scope).toBe(site.url)
  await context.close()
})

test('what another program shares with it is looked at, without a network too', async () => {
  const site = await serve()
  // The system's own request, which a form stands for here, is not bound by the page's policy.
  const context = await browser.newContext({ bypassCSP: true })
  await choose(context, site.url, ON_PROCESSOR)
  const page = await visit(context, site)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  await page.reload()
  const manifest = await page.evaluate(async () => (await fetch('manifest.webmanifest')).json())
  await site.cut()
  const shared = { spec: 'chara_card_v2', spec_version: '2.0', data: { name: 'Orla', first_mes: 'Hm.' } }
  await page.evaluate(
    ([{ action, method, enctype, params }, text]) => {
      const held = new DataTransfer()
      held.items.add(new File([text], 'orla.json', { type: 'application/json' }))
      const form = document.body.appendChild(document.createElement('form'))
      Object.assign(form, { action: new URL(action, document.baseURI).href, method, enctype })
      const input = form.appendChild(document.createElement('input'))
      Object.assign(input, { type: 'file', name: params.files[0].name, files: held.files })
      form.submit()
    },
    [manifest.share_target, JSON.stringify(shared)] as const,
  )
  await page.getByRole('dialog').getByText('Orla').first().waitFor()
  expect(new URL(page.url()).hash).toBe('#/')
  await page.reload()
  await page.getByRole('region', { name: 'The cast' }).getByText('Alice').first().waitFor()
  expect(await page.getByRole('dialog').count()).toBe(0)
  await context.close()
})

describe('a newer version', () => {
  let context: BrowserContext
  let page: Page
  const mark = (): Promise<string | null> =>
    page.evaluate(() => document.querySelector('meta[name=mark]')?.getAttribute('content') ?? null)

  beforeAll(async () => {
    const site = await serve()
    context = await visitor(site)
    page = await visit(context, site)
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await page.reload()
    await site.publish('second')
    await page.getByRole('region', { name: 'The cast' }).getByText('Alice').first().click()
    await page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()))
    await page.getByText('A newer version of this page is here').waitFor()
  })
  afterAll(() => context.close())

  test('is told, and used neither while somebody speaks in another tab nor in this one', async () => {
    expect(await axeViolations(page)).toEqual([])
    const other = await context.newPage()
    await other.goto(new URL('icon.svg', page.url()).href)
    // As a tab does in which an answer is on its way.
    await other.evaluate(() => {
      void navigator.locks.request('hycora-busy', { mode: 'shared' }, () => new Promise(() => undefined))
    })
    await ask(page, 'Who are you?')
    await page.getByRole('button', { name: 'Use it now' }).click()
    await page.getByRole('button', { name: 'Waiting for the last words' }).waitFor()
    const answer = await answered(page)
    expect(await mark()).toBeNull()
    await other.close()
    await expect.poll(() => mark().catch(() => null), { timeout: 60_000 }).toBe('second')
    await page.getByRole('article').nth(2).waitFor()
    expect(await page.getByRole('article').last().innerText()).toBe(answer)
    expect(await page.getByText('A newer version of this page is here').count()).toBe(0)
  })
})
