import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, join } from 'node:path'

import type { Browser, BrowserContext, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { securityHeaders } from '../../tools/securityHeaders.ts'
import { flipBit, changeBytes, refuse, silence } from '../support/faults.ts'
import { openFaultServer } from '../support/faultServer.ts'
import type { FaultServer } from '../support/faultServer.ts'
import { ON_PROCESSOR, choose, openBrowser } from '../support/site.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}
const STARTER = '/models/starter/onnx/model_fp16.onnx'
const LOAD_MS = 60_000

let server: FaultServer
let browser: Browser
let context: BrowserContext
let page: Page

const fileAt = (path: string): string => join(inject('site'), path === '/' ? 'index.html' : path)
const modelRequests = (): readonly string[] =>
  server.requests.filter((path) => /^\/(models|packs)\/.*\/|^\/packs\/.*\.safetensors/.test(path))

beforeAll(async () => {
  server = await openFaultServer({
    read: (path) => {
      const file = fileAt(path)
      return existsSync(file) && statSync(file).isFile() ? readFileSync(file) : undefined
    },
    headers: (path) => ({
      ...securityHeaders,
      'Content-Type': types[extname(fileAt(path))] ?? 'application/octet-stream',
    }),
  })
  browser = await openBrowser()
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  await choose(context, server.url, ON_PROCESSOR)
  page = await context.newPage()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

/** Backstage says that the starter stands: while it loads, its room cannot be freed. */
const starterStands = (): Promise<void> =>
  page.locator('button:enabled', { hasText: /^Free the .* of Tiny/ }).waitFor({ timeout: LOAD_MS })

describe('a model that does not come', () => {
  test('leaves the gallery at work, and says what to do', async () => {
    server.faults.set(STARTER, [refuse(404)])
    await page.goto(server.url)
    await page.getByRole('region', { name: 'The cast' }).getByText('Sherlock Holmes').click()
    await page.getByText('The server sends another file than it should').waitFor()
    expect(await page.getByText('model_fp16.onnx: the server answered 404').count()).toBe(1)
  })

  test('comes after a reload, over a restless connection, and only what is missing', async () => {
    server.faults.set(STARTER, [changeBytes(flipBit(9_000_000))])
    server.requests.length = 0
    await page.getByRole('button', { name: 'Reload the page' }).click()
    await page.getByRole('textbox', { name: /^Say something to/ }).waitFor()
    await page.getByRole('button', { name: 'Backstage' }).click()
    await starterStands()
    expect(modelRequests()).toEqual([
      STARTER,
      `${STARTER} 8388608-11124174`,
      '/packs/starter.hycora.safetensors',
    ])
  })
})

describe('the choice of the model', () => {
  test('begins to fetch the other, and comes back without a request', async () => {
    const models = page.getByRole('group', { name: 'Model' })
    server.faults.set('/models/smollm2-135m-instruct/config.json', [silence])
    await models.getByRole('radio', { name: 'SmolLM2' }).check()
    await page.getByText(/of 1\d\d MB/).waitFor()
    expect(await models.getByText('Apache-2.0').count()).toBe(1)
    expect(await page.getByRole('article').count()).toBeGreaterThan(0)

    server.requests.length = 0
    await models.getByRole('radio', { name: 'Tiny' }).check()
    await starterStands()
    expect(modelRequests()).toEqual([])
  })

  test('frees the room of a model, which is fetched again next time', async () => {
    await page.getByRole('button', { name: /^Free the \d+ MB of Tiny/ }).click()
    await expect.poll(() => page.getByRole('button', { name: /^Free the/ }).count()).toBe(0)
    server.requests.length = 0
    await page.reload()
    await expect.poll(modelRequests, { timeout: LOAD_MS }).toContain(STARTER)
  })
})
