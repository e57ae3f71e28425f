import { createHash } from 'node:crypto'
import { resolve } from 'node:path'

import type { Browser, BrowserContext, Page } from 'playwright'
import { build } from 'vite'
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'

import { Random } from '../../src/core/random.ts'
import type { ManifestFile } from '../../src/download/servedFile.ts'
import type { DownloadOutcome, DownloadPage } from '../support/downloadPage.ts'
import {
  changeBytes,
  continueAnother,
  cutAt,
  cutAtOnce,
  flipBit,
  holdAt,
  mislabel,
  refuse,
  sendInstead,
  silence,
  stallAt,
} from '../support/faults.ts'
import { openFaultServer } from '../support/faultServer.ts'
import type { Fault, FaultServer } from '../support/faultServer.ts'
import { openBrowser } from '../support/site.ts'

declare const page: DownloadPage

const random = new Random(20260301)
const contentOf = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.nextBelow(256)))
const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

const CHUNK = 65_536
const SIZE = 200_000
const weights = contentOf(SIZE)
const config = contentOf(700)
const starts = [0, CHUNK, 2 * CHUNK, 3 * CHUNK]
const files: readonly ManifestFile[] = [
  {
    path: 'weights',
    bytes: SIZE,
    sha256: hashOf(weights),
    chunks: { bytes: CHUNK, sha256: starts.map((start) => hashOf(weights.subarray(start, start + CHUNK))) },
  },
  { path: 'config.json', bytes: 700, sha256: hashOf(config) },
]

let server: FaultServer
let browser: Browser
let context: BrowserContext
let tab: Page

beforeAll(async () => {
  const bundle = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: resolve(import.meta.dirname, '../support/downloadPage.ts'), formats: ['es'] },
    },
  })
  const output = Array.isArray(bundle) ? bundle[0]?.output[0] : undefined
  const script = Buffer.from(output?.code ?? '')
  const served = new Map<string, Buffer>([
    [
      '/',
      Buffer.from('<!doctype html><title>downloads</title><script type="module" src="page.js"></script>'),
    ],
    ['/page.js', script],
    ['/weights', weights],
    ['/config.json', config],
  ])
  const types = new Map([
    ['/', 'text/html'],
    ['/page.js', 'text/javascript'],
  ])
  server = await openFaultServer({
    read: (path) => served.get(path),
    headers: (path) => ({ 'Content-Type': types.get(path) ?? 'application/octet-stream' }),
  })
  browser = await openBrowser([])
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const openTab = async (): Promise<Page> => {
  const opened = await context.newPage()
  await opened.goto(server.url)
  await opened.waitForFunction(() => 'page' in globalThis)
  server.requests.length = 0
  return opened
}

beforeEach(async () => {
  context = await browser.newContext()
  tab = await openTab()
})
afterEach(async () => {
  server.faults.clear()
  await context.close()
})

const download = (stallMs = 20_000, where = tab): Promise<DownloadOutcome> =>
  where.evaluate(([list, stall]) => page.download(list, { stallMs: stall, pauseMs: 1 }), [
    files,
    stallMs,
  ] as const)
const keptBytes = (): Promise<number> => tab.evaluate((list) => page.keptBytes(list), files)

const whole = { kind: 'whole', hashes: files.map(({ sha256 }) => sha256), isKept: true }
/** With a good server nothing stands in the way, and what was kept before is used. */
const expectRecovery = async (): Promise<void> => {
  server.faults.clear()
  const kept = await keptBytes()
  expect(await download()).toEqual({ ...whole, fetchedBytes: SIZE + 700 - kept, troubles: [] })
  expect(await keptBytes()).toBe(SIZE + 700)
}

const zeros = (content: Buffer): Buffer => Buffer.alloc(content.length)
const shortened = (content: Buffer): Buffer => content.subarray(0, 150_000)
const lengthened = (content: Buffer): Buffer => Buffer.concat([content, content.subarray(0, 10)])
const zeroTail = (content: Buffer): Buffer =>
  Buffer.concat([content.subarray(0, 150_000), Buffer.alloc(50_000)])
const html = (): Buffer => Buffer.from(`<!doctype html>${' '.repeat(300)}`)
/** For as long as anyone asks. */
const always = (fault: Fault): readonly Fault[] => Array.from({ length: 12 }, () => fault)

/** A stall must be waited for; half a second is long beside an answer of this machine. */
const STALL_MS = 500

interface Mended {
  readonly fault: string
  readonly faults: readonly Fault[]
  /** What was asked of the server for the weights; left out where the browser itself may ask twice. */
  readonly requests?: readonly string[]
  readonly stallMs?: number
}

const mended: readonly Mended[] = [
  { fault: 'a connection that breaks before the answer', faults: [cutAtOnce] },
  {
    fault: 'a connection that breaks in a chunk',
    faults: [cutAt(100_000)],
    requests: ['/weights', '/weights 100000-199999'],
  },
  {
    fault: 'a connection that breaks again and again, a little further each time',
    faults: [cutAt(30_000), cutAt(60_000), cutAt(90_000), cutAt(120_000), cutAt(180_000)],
    requests: [
      '/weights',
      ...[30_000, 60_000, 90_000, 120_000, 180_000].map((at) => `/weights ${at}-199999`),
    ],
  },
  { fault: 'silence in place of an answer', faults: [silence], stallMs: STALL_MS },
  {
    fault: 'silence in the middle',
    faults: [stallAt(150_000)],
    requests: ['/weights', '/weights 150000-199999'],
    stallMs: STALL_MS,
  },
  {
    fault: 'a file that is too short',
    faults: [sendInstead(shortened)],
    requests: ['/weights', '/weights'],
  },
  {
    fault: 'a file that ends too soon, of no stated length',
    faults: [sendInstead(shortened, { isChunked: true })],
    requests: ['/weights', '/weights 150000-199999'],
  },
  { fault: 'a file that is too long', faults: [sendInstead(lengthened)], requests: ['/weights', '/weights'] },
  {
    fault: 'a file that goes on behind its end, of no stated length',
    faults: [sendInstead(lengthened, { isChunked: true })],
    requests: ['/weights'],
  },
  {
    fault: 'one wrong bit',
    faults: [changeBytes(flipBit(70_000))],
    requests: ['/weights', '/weights 65536-199999'],
  },
  {
    fault: 'zeros in place of the last bytes',
    faults: [changeBytes(zeroTail)],
    requests: ['/weights', '/weights 131072-199999'],
  },
  { fault: 'a page in place of the file', faults: [sendInstead(html)], requests: ['/weights', '/weights'] },
  { fault: '503', faults: [refuse(503)], requests: ['/weights', '/weights'] },
  {
    fault: '416 to a continuation',
    faults: [cutAt(100_000), refuse(416)],
    requests: ['/weights', '/weights 100000-199999', '/weights'],
  },
  {
    fault: 'a continuation from another byte',
    faults: [cutAt(100_000), mislabel(({ from, to }) => `bytes ${from - 1}-${to - 2}/${SIZE}`)],
    requests: ['/weights', '/weights 100000-199999', '/weights'],
  },
  {
    fault: 'a continuation of a file of another size',
    faults: [cutAt(100_000), mislabel(({ from, to }) => `bytes ${from}-${to - 1}/${SIZE + 1}`)],
    requests: ['/weights', '/weights 100000-199999', '/weights'],
  },
  {
    fault: 'the whole in place of a continuation',
    faults: [cutAt(100_000), sendInstead((content) => content)],
    requests: ['/weights', '/weights 100000-199999'],
  },
  {
    fault: 'a continuation of another version',
    faults: [cutAt(100_000), continueAnother(zeros, '"other"')],
    requests: ['/weights', '/weights 100000-199999', '/weights 65536-199999'],
  },
  {
    fault: 'a continuation of another version under the old mark',
    faults: [cutAt(100_000), changeBytes(flipBit(110_000))],
    // The mark is that of the bytes: If-Range does not hold, and the other version comes whole.
    requests: ['/weights', '/weights 100000-199999', '/weights 65536-199999'],
  },
]

describe('mended without a word from the visitor', () => {
  test.each(mended)('$fault', async ({ faults, requests, stallMs }) => {
    server.faults.set('/weights', [...faults])
    expect(await download(stallMs)).toMatchObject(whole)
    expect(server.faults.get('/weights')).toEqual([])
    const asked = server.requests.filter((path) => path.startsWith('/weights'))
    expect(requests && asked).toEqual(requests)
    expect(await keptBytes()).toBe(SIZE + 700)
  })
})

interface Told {
  readonly fault: string
  readonly faults: readonly Fault[]
  readonly code: 'download-failed' | 'download-mismatch'
  readonly message: RegExp
  readonly keptBytes: number
  readonly stallMs?: number
}

const told: readonly Told[] = [
  {
    fault: 'a connection that always breaks at once',
    faults: always(cutAtOnce),
    code: 'download-failed',
    message: /^weights stopped at 0 of 200000 bytes: /,
    keptBytes: 0,
  },
  {
    fault: 'silence, always behind the same byte',
    faults: always(stallAt(100_000)),
    code: 'download-failed',
    message: /^weights stopped at 100000 of 200000 bytes: nothing came for 0\.5 s$/,
    keptBytes: CHUNK,
    stallMs: STALL_MS,
  },
  {
    fault: 'a file that is too short, always',
    faults: always(changeBytes(shortened)),
    code: 'download-mismatch',
    message: /^weights has 150000 bytes on the server, expected 200000$/,
    keptBytes: 0,
  },
  {
    fault: 'one wrong bit, always',
    faults: always(changeBytes(flipBit(70_000))),
    code: 'download-mismatch',
    message: /^weights has SHA-256 [0-9a-f]{64} from byte 65536, expected [0-9a-f]{64}$/,
    keptBytes: CHUNK,
  },
  {
    fault: '404',
    faults: [refuse(404)],
    code: 'download-mismatch',
    message: /^weights: the server answered 404, expected 200$/,
    keptBytes: 0,
  },
  {
    fault: '503, always',
    faults: always(refuse(503)),
    code: 'download-failed',
    message: /^weights: the server answered 503, expected 200$/,
    keptBytes: 0,
  },
]

describe('told to the visitor, and mended by the next attempt', () => {
  test.each(told)('$fault', async ({ faults, code, message, keptBytes: kept, stallMs }) => {
    server.faults.set('/weights', [...faults])
    expect(await download(stallMs)).toEqual({ kind: 'failed', code, message: expect.stringMatching(message) })
    expect(await keptBytes()).toBe(kept)
    await expectRecovery()
  })

  test('no network', async () => {
    await context.setOffline(true)
    expect(await download()).toEqual({
      kind: 'failed',
      code: 'download-failed',
      message: expect.stringMatching(/^weights stopped at 0 of 200000 bytes: .*; this device is offline$/),
    })
    await context.setOffline(false)
    await expectRecovery()
  })

  test('a network that goes away in the middle', async () => {
    const { fault, reached } = holdAt(140_000)
    server.faults.set('/weights', [fault])
    const outcome = download(STALL_MS)
    await reached
    await context.setOffline(true)
    expect(await outcome).toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(/offline$/),
    })
    await context.setOffline(false)
    server.requests.length = 0
    await expectRecovery()
    expect(server.requests).toEqual(['/weights 131072-199999', '/config.json'])
  })
})

describe('a disk', () => {
  test('without room: the files are used, and fetched again next time', async () => {
    const session = await context.newCDPSession(tab)
    const origin = new URL(server.url).origin
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 100_000 })
    expect(await download()).toEqual({ ...whole, isKept: false, fetchedBytes: SIZE + 700, troubles: [] })
    const kept = await keptBytes()
    expect(kept).toBeLessThan(SIZE)
    await session.send('Storage.overrideQuotaForOrigin', { origin })
    await expectRecovery()
  })

  test('that changed what it was given: it is fetched again', async () => {
    expect(await download()).toMatchObject(whole)
    await tab.evaluate(() => page.damageKept())
    expect(await download()).toEqual({ ...whole, fetchedBytes: SIZE + 700, troubles: [] })
  })
})

describe('tabs', () => {
  test('two fetch a file once', async () => {
    const other = await openTab()
    const outcomes = await Promise.all([download(), download(undefined, other)])
    expect(outcomes).toEqual([expect.objectContaining(whole), expect.objectContaining(whole)])
    expect(server.requests.toSorted()).toEqual(['/config.json', '/weights'])
  })

  test('one that is closed in the middle leaves what it has to the next', async () => {
    const { fault, reached } = holdAt(140_000)
    server.faults.set('/weights', [fault])
    const outcome = download().catch(() => undefined)
    await reached
    await tab.close()
    await outcome
    tab = await openTab()
    expect(await download()).toMatchObject({ ...whole, fetchedBytes: SIZE + 700 - 2 * CHUNK })
    expect(server.requests).toEqual(['/weights 131072-199999', '/config.json'])
  })
})
