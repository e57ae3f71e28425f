import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { sha256 } from '../../../src/storage/database.ts'
import { downloadFiles } from '../../../src/download/downloads.ts'
import type { DownloadProgress, DownloadResult } from '../../../src/download/downloads.ts'
import type { ManifestFile } from '../../../src/download/servedFile.ts'
import {
  keptBytes,
  openChunkStore,
  removeFiles,
  removeUnlistedFiles,
} from '../../../src/storage/fileCache.ts'
import { lockFile } from '../../../src/storage/fileLock.ts'
import { fetchJson } from '../../../src/storage/servedJson.ts'

const random = new Random(20260214)
const contentOf = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, () => random.nextBelow(256))

const served: Record<string, Uint8Array<ArrayBuffer>> = {
  'config.json': contentOf(700),
  'weights.0': contentOf(50_000),
  'weights.1': contentOf(30_001),
}

const entry = async (path: string): Promise<ManifestFile> => {
  const content = served[path]!
  return { path, bytes: content.length, sha256: await sha256(content) }
}

/** The same, divided. */
const dividedEntry = async (path: string, bytes: number): Promise<ManifestFile> => {
  const content = served[path]!
  const starts = Array.from({ length: Math.ceil(content.length / bytes) }, (_, index) => index * bytes)
  const hashes = await Promise.all(starts.map((start) => sha256(content.slice(start, start + bytes))))
  return { ...(await entry(path)), chunks: { bytes, sha256: hashes } }
}

let cacheName = ''
let requests: string[] = []
/** How the next answers differ from what is asked, by path. */
let faults: Record<string, ((content: Uint8Array<ArrayBuffer>) => Response)[]> = {}

/** Serves ranges; a request is noted as its path, with the range behind it. */
const fetcher = (url: string, { headers }: RequestInit): Promise<Response> => {
  const path = url.replace('folder/', '')
  const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(headers).get('Range') ?? '')
  requests.push(range ? `${path} ${range[1]}-${range[2]}` : path)
  const fault = faults[path]?.shift()
  const content = served[path]!
  if (fault) return Promise.resolve(fault(content))
  if (!range) return Promise.resolve(new Response(content))
  const part = content.slice(Number(range[1]), Number(range[2]) + 1)
  const contentRange = `bytes ${range[1]}-${range[2]}/${content.length}`
  return Promise.resolve(new Response(part, { status: 206, headers: { 'Content-Range': contentRange } }))
}

const drain = async (
  files: readonly ManifestFile[],
  signal?: AbortSignal,
): Promise<DownloadResult & { steps: DownloadProgress[] }> => {
  const download = downloadFiles(files, {
    folder: 'folder/',
    store: await openChunkStore(cacheName),
    lock: lockFile,
    fetcher,
    pauseMs: 0,
    ...(signal && { signal }),
  })
  const steps: DownloadProgress[] = []
  for (;;) {
    const step = await download.next()
    if (step.done) return { ...step.value, steps }
    steps.push(step.value)
  }
}

const failure = async (work: Promise<unknown>): Promise<HycoraError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(thrown).toBeInstanceOf(HycoraError)
  return thrown as HycoraError
}

let config: ManifestFile
let weights: ManifestFile

beforeEach(async ({ task }) => {
  cacheName = `test ${task.id}`
  requests = []
  faults = {}
  config = await entry('config.json')
  const pieces = [await entry('weights.0'), await entry('weights.1')]
  weights = { path: 'weights', bytes: 80_001, sha256: '0'.repeat(64), pieces }
})
afterEach(async () => {
  await caches.delete(cacheName)
})

describe('files of a manifest', () => {
  test('come whole and in order, with progress to the last byte', async () => {
    const { files, kept, steps } = await drain([config, weights])
    expect(kept).toBe(true)
    expect(new Uint8Array(await files.get('config.json')!.arrayBuffer())).toEqual(served['config.json'])
    const joined = new Uint8Array(await files.get('weights')!.arrayBuffer())
    expect(joined.subarray(0, 50_000)).toEqual(served['weights.0'])
    expect(joined.subarray(50_000)).toEqual(served['weights.1'])
    expect(steps.at(-1)).toEqual({
      doneBytes: 80_701,
      totalBytes: 80_701,
      fetchedBytes: 80_701,
      trouble: null,
    })
    for (const [index, step] of steps.entries()) {
      expect(step.doneBytes).toBeGreaterThanOrEqual(steps[index - 1]?.doneBytes ?? 0)
    }
  })

  test('come from this device the second time, without a request', async () => {
    await drain([config, weights])
    requests = []
    const { files, steps } = await drain([config, weights])
    expect(requests).toEqual([])
    expect(files.get('weights')?.size).toBe(80_001)
    expect(steps.at(-1)).toEqual({ doneBytes: 80_701, totalBytes: 80_701, fetchedBytes: 0, trouble: null })
  })

  test('go on where they were cut, in the same visit', async () => {
    faults = { 'config.json': [(content) => new Response(content.slice(0, 300))] }
    const { files, steps } = await drain([config])
    expect(requests).toEqual(['config.json', 'config.json 300-699'])
    expect(steps.filter(({ trouble }) => trouble !== null)).toEqual([
      {
        doneBytes: 300,
        totalBytes: 700,
        fetchedBytes: 300,
        trouble: 'config.json stopped at 300 of 700 bytes: the server closed the connection',
      },
    ])
    expect(new Uint8Array(await files.get('config.json')!.arrayBuffer())).toEqual(served['config.json'])
  })

  test.each<[string, (content: Uint8Array<ArrayBuffer>) => Response]>([
    [
      'of the right size with one wrong bit',
      (content) => new Response(content.map((byte, at) => (at === 9 ? byte ^ 1 : byte))),
    ],
    ['refused', () => new Response('no', { status: 503 })],
    ['cut before the first byte', () => new Response(brokenStream())],
  ])('%s once are fetched once more', async (_, fault) => {
    faults = { 'config.json': [fault] }
    const { files } = await drain([config])
    expect(requests).toEqual(['config.json', 'config.json'])
    expect(new Uint8Array(await files.get('config.json')!.arrayBuffer())).toEqual(served['config.json'])
  })

  test('damaged three times are refused by name, leave nothing behind, and keep what came before', async () => {
    faults = { 'weights.0': [zeros, zeros, zeros] }
    const error = await failure(drain([config, weights]))
    expect(error.code).toBe('download-mismatch')
    expect(error.message).toMatch(/^weights\.0 has SHA-256 [0-9a-f]{64}, expected [0-9a-f]{64}$/)

    requests = []
    await drain([config, weights])
    expect(requests).toEqual(['weights.0', 'weights.1'])
  })

  test('that were damaged on this device are fetched again', async () => {
    await drain([config])
    const cache = await caches.open(cacheName)
    const [key] = await cache.keys()
    await cache.put(key!, new Response(new Uint8Array(700)))
    requests = []
    const { files } = await drain([config])
    expect(requests).toEqual(['config.json'])
    expect(new Uint8Array(await files.get('config.json')!.arrayBuffer())).toEqual(served['config.json'])
  })

  test('are fetched once when two ask at the same time', async () => {
    await Promise.all([drain([weights]), drain([weights])])
    expect(requests.toSorted()).toEqual(['weights.0', 'weights.1'])
  })

  test('stop when they are told to', async () => {
    const controller = new AbortController()
    controller.abort()
    expect((await failure(drain([config], controller.signal))).code).toBe('cancelled')
    expect(requests).toEqual([])
  })

  test('that are no longer listed are removed', async () => {
    await drain([config, weights])
    expect(await removeUnlistedFiles([config], cacheName)).toBe(2)
    requests = []
    await drain([config])
    expect(requests).toEqual([])
  })
})

describe('a divided file', () => {
  let divided: ManifestFile
  beforeEach(async () => {
    divided = await dividedEntry('weights.0', 16_384)
  })
  test('comes in one request', async () => {
    expect(await contentOfFile(await drain([divided]))).toEqual(served['weights.0'])
    expect(requests).toEqual(['weights.0'])
  })

  test('goes on behind its last whole chunk on the next visit', async () => {
    const controller = new AbortController()
    const download = downloadFiles([divided], {
      folder: 'folder/',
      store: await openChunkStore(cacheName),
      fetcher,
      signal: controller.signal,
    })
    faults = { 'weights.0': [(content) => new Response(slowly(content, 10_000))] }
    while (!controller.signal.aborted) {
      const step = await download.next()
      if (!step.done && step.value.doneBytes >= 40_000) controller.abort()
    }
    expect((await failure(download.next())).code).toBe('cancelled')
    expect(await keptBytes([divided], cacheName)).toBe(32_768)

    requests = []
    const result = await drain([divided])
    expect(requests).toEqual(['weights.0 32768-49999'])
    expect(result.steps.at(-1)).toMatchObject({ doneBytes: 50_000, fetchedBytes: 50_000 - 32_768 })
    expect(await contentOfFile(result)).toEqual(served['weights.0'])
  })

  test('is mended where it was damaged on this device, and nowhere else', async () => {
    await drain([divided])
    const cache = await caches.open(cacheName)
    const damaged = [divided.chunks!.sha256![0]!, divided.chunks!.sha256![2]!]
    for (const hash of damaged) {
      const key = (await cache.keys()).find(({ url }) => url.endsWith(hash))
      await cache.put(key!, new Response(new Uint8Array(16_384)))
    }
    requests = []
    expect(await contentOfFile(await drain([divided]))).toEqual(served['weights.0'])
    expect(requests).toEqual(['weights.0 0-16383', 'weights.0 32768-49151'])
  })

  test('that only has a hash as a whole is proven once, and then looked at chunk by chunk', async () => {
    const whole = { ...divided, chunks: { bytes: 16_384, sha256: null } }
    faults = { 'weights.0': [flipped] }
    const first = await drain([whole])
    expect(await contentOfFile(first)).toEqual(served['weights.0'])
    // The wrong one was given up as a whole: nobody can say which part of it was.
    expect(requests).toEqual(['weights.0', 'weights.0'])
    expect(await keptBytes([whole], cacheName)).toBe(50_000)

    const cache = await caches.open(cacheName)
    const key = (await cache.keys()).find(({ url }) => url.endsWith(`${whole.sha256}-16384`))
    await cache.put(key!, new Response(new Uint8Array(16_384)))
    requests = []
    expect(await contentOfFile(await drain([whole]))).toEqual(served['weights.0'])
    expect(requests).toEqual(['weights.0 16384-32767'])

    expect(await removeUnlistedFiles([whole], cacheName)).toBe(0)
    await removeFiles([whole], [], cacheName)
    expect(await cache.keys()).toEqual([])
  })

  test('keeps its right chunks when a later one is wrong', async () => {
    faults = { 'weights.0': [flipped] }
    expect(await contentOfFile(await drain([divided]))).toEqual(served['weights.0'])
    expect(requests).toEqual(['weights.0', 'weights.0 16384-49999'])
  })

  test('gives its room back, but not what another file shares', async () => {
    await drain([divided, config])
    const twin = {
      ...divided,
      path: 'twin',
      bytes: 16_384,
      chunks: { bytes: 16_384, sha256: [divided.chunks!.sha256![0]!] },
    }
    await removeFiles([divided], [twin], cacheName)
    expect(await keptBytes([divided], cacheName)).toBe(16_384)
    expect(await keptBytes([config], cacheName)).toBe(700)
    requests = []
    await drain([divided])
    expect(requests).toEqual(['weights.0 16384-49999'])
  })
})

describe('a list', () => {
  const url = 'http://localhost:1/list.json'
  const answer = (response: () => Response | Promise<Response>): Promise<unknown> =>
    fetchJson(url, { cacheName, fetcher: () => Promise.resolve(response()) })

  test('that cannot be fetched is the one of the last visit', async () => {
    const cache = await caches.open(cacheName)
    expect((await failure(fetchJson(url, { cacheName }))).code).toBe('download-failed')
    await cache.put(url, new Response('{"cast":6}'))
    expect(await fetchJson(url, { cacheName })).toEqual({ cast: 6 })
    await cache.put(url, new Response('no json'))
    expect((await failure(fetchJson(url, { cacheName }))).code).toBe('format-invalid')
  })

  test.each<[string, string, () => Response]>([
    ['breaks off', 'download-failed', () => new Response(brokenStream())],
    [
      'is another page, as of a network that asks to log in',
      'format-invalid',
      () => new Response('<p>Hello'),
    ],
    ['is refused', 'download-failed', () => new Response('no', { status: 503 })],
  ])('that %s is the one of the last visit, which stays', async (_, code, bad) => {
    expect((await failure(answer(bad))).code).toBe(code)
    expect(await answer(() => new Response('{"cast":6}'))).toEqual({ cast: 6 })
    expect(await answer(bad)).toEqual({ cast: 6 })
    expect(await answer(bad)).toEqual({ cast: 6 })
  })

  test('that never comes is not waited for', async () => {
    const { code, message } = await failure(fetchJson(url, { cacheName, fetcher: never, stallMs: 1 }))
    expect(code).toBe('download-failed')
    expect(message).toContain(url)
    expect(await answer(() => new Response('{"cast":6}'))).toEqual({ cast: 6 })
    expect(await fetchJson(url, { cacheName, fetcher: never, stallMs: 1 })).toEqual({ cast: 6 })
    const after = AbortSignal.timeout.bind(AbortSignal)
    // A thousand times as fast.
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => after(ms > 2000 ? 3_600_000 : ms / 1000))
    expect(await fetchJson(url, { cacheName, fetcher: never })).toEqual({ cast: 6 })
    vi.restoreAllMocks()
  })

  test('that lies here is asked for by nobody without a network', async () => {
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    let asked = 0
    const respond = (): Response => new Response(`{"cast":${++asked}}`)
    expect(await answer(respond)).toEqual({ cast: 1 })
    expect(await answer(respond)).toEqual({ cast: 1 })
    vi.restoreAllMocks()
    expect(await answer(respond)).toEqual({ cast: 2 })
  })
})

function never(_: string, { signal }: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) =>
    signal?.addEventListener('abort', () => reject(signal.reason as Error)),
  )
}

async function contentOfFile({ files }: DownloadResult): Promise<Uint8Array> {
  return new Uint8Array(await files.get('weights.0')!.arrayBuffer())
}

function flipped(content: Uint8Array<ArrayBuffer>): Response {
  return new Response(content.map((byte, at) => (at === 20_000 ? byte ^ 1 : byte)))
}

function zeros(content: Uint8Array<ArrayBuffer>): Response {
  return new Response(new Uint8Array(content.length))
}

function brokenStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(stream) {
      stream.error(new Error('the network went away'))
    },
  })
}

/** The content in parts of `size` bytes. */
function slowly(content: Uint8Array<ArrayBuffer>, size: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(stream) {
      if (at >= content.length) stream.close()
      else stream.enqueue(content.slice(at, (at += size)))
    },
  })
}
