import { join } from 'node:path'

import AxeSource from 'axe-core'
import { chromium } from 'playwright'
import type { Browser, BrowserContext, Page } from 'playwright'
import { preview } from 'vite'
import { inject } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** Flags for WebGPU on the software adapter; without them a headless Chromium has none. */
export const SOFTWARE_GPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader']

export interface Site {
  readonly url: string
  readonly browser: Browser
  close(): Promise<void>
}

/** Serves the build with its own headers and opens a browser. */
export async function openSite(flags: readonly string[] = SOFTWARE_GPU): Promise<Site> {
  const server = await preview({
    root,
    logLevel: 'silent',
    build: { outDir: inject('site') },
    preview: { host: '127.0.0.1', port: 0 },
  })
  const browser = await openBrowser(flags)
  return {
    url: server.resolvedUrls!.local[0]!,
    browser,
    async close() {
      await browser.close()
      await server.close()
    },
  }
}

/**
 * What a visitor chose who need not see WebGPU at work: the processor opens the tiny model and answers several times as fast
 * as the software adapter, which compiles every kernel anew with every page.
 */
export const ON_PROCESSOR = { backbone: 'starter', path: 'wasm', maxTokens: 12 } as const

/**
 * What a visitor chose before: by default the tiny model on WebGPU, so that a test need neither load the large one nor
 * measure what the software adapter is worth.
 */
export async function choose(
  context: BrowserContext,
  url: string,
  settings: Readonly<Record<string, unknown>> = { backbone: 'starter', path: 'webgpu' },
): Promise<void> {
  const page = await context.newPage()
  // A page of the same origin that is not the app.
  await page.goto(new URL('icon.svg', url).href)
  await page.evaluate(changeKeptSettings, settings)
  await page.close()
}

/** Runs in a page: changes what is kept there. */
function changeKeptSettings(changes: Readonly<Record<string, unknown>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('hycora-settings')
    opening.onupgradeneeded = () => opening.result.createObjectStore('values')
    opening.onerror = () => reject(opening.error ?? new Error('the settings cannot be opened'))
    opening.onsuccess = () => {
      const values = opening.result.transaction('values', 'readwrite').objectStore('values')
      const reading = values.get('settings')
      reading.onsuccess = () => {
        values.put({ version: 1, ...(reading.result as object | undefined), ...changes }, 'settings')
        values.transaction.oncomplete = () => {
          opening.result.close()
          resolve()
        }
      }
    }
  })
}

/** The settings as the page has kept them. */
export function keptSettings(page: Page): Promise<Record<string, unknown>> {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open('hycora-settings')
        opening.onsuccess = () => {
          const reading = opening.result.transaction('values').objectStore('values').get('settings')
          reading.onsuccess = () => {
            opening.result.close()
            resolve(reading.result as Record<string, unknown>)
          }
        }
      }),
  )
}

/** The Chromium of the tests. */
export function openBrowser(flags: readonly string[] = SOFTWARE_GPU): Promise<Browser> {
  const path = process.env['CHROMIUM_PATH']
  return chromium.launch({
    ...(path ? { executablePath: path } : { channel: 'chromium' }),
    args: ['--no-sandbox', ...flags],
  })
}

/** What must never happen while a page is used. */
export interface Watch {
  readonly foreignRequests: string[]
  readonly requests: string[]
  readonly complaints: string[]
}

/** Notes every request and complaint of a context's pages. */
export function watch(context: BrowserContext, site: Site): Watch {
  const notes: Watch = { foreignRequests: [], requests: [], complaints: [] }
  context.on('request', (request) => {
    const address = request.url()
    notes.requests.push(address)
    const isOwn = address.startsWith(site.url) || address.startsWith('data:') || address.startsWith('blob:')
    if (!isOwn) notes.foreignRequests.push(address)
  })
  context.on('console', (message) => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy')) {
      notes.complaints.push(message.text())
    }
  })
  context.on('weberror', (error) => notes.complaints.push(error.error().message))
  return notes
}

/** The ids of the accessibility rules that the page breaks now. */
export async function axeViolations(page: Page): Promise<string[]> {
  // An isolated world: the page's Trusted Types do not let a test's script in.
  const session = await page.context().newCDPSession(page)
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  })
  const evaluate = async (expression: string): Promise<string> => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return String(result.value)
  }
  await evaluate(`${AxeSource.source};''`)
  const found = await evaluate(
    "axe.run().then(({violations}) => JSON.stringify(violations.map(({id, nodes}) => id + ': ' + nodes.map((n) => n.target).join(' | '))))",
  )
  return JSON.parse(found) as string[]
}
