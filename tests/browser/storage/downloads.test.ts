import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { HycoraError } from '../../../src/core/errors.ts'
import { Random } from '../../../src/core/random.ts'
import { downloadFiles, fetchJson, removeUnlistedFiles } from '../../../src/storage/downloads.ts'
import type { DownloadProgress, DownloadResult, ManifestFile } from '../../../src/storage/downloads.ts'

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
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
  return {
    path,
    bytes: content.length,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}

let cacheName = ''
let requests: string[] = []
/** How the next answers differ from what is asked, by path. */
let faults: Record<string, ((content: Uint8Array<ArrayBuffer>) => Response)[]> = {}

const fetcher = (url: string): Promise<Response> => {
  const path = url.replace('folder/', '')
  requests.push(path)
  const fault = faults[path]?.shift()
  const content = served[path]!
  return Promise.resolve(fault ? fault(content) : new Response(content))
}

const drain = async (
  files: readonly ManifestFile[],
  signal?: AbortSignal,
): Promise<DownloadResult & { steps: DownloadProgress[] }> => {
  const download = downloadFiles(files, { folder: 'folder/', cacheName, fetcher, ...(signal && { signal }) })
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
    expect(steps.at(-1)).toEqual({ doneBytes: 80_701, totalBytes: 80_701, fetchedBytes: 80_701 })
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
    expect(steps.at(-1)).toEqual({ doneBytes: 80_701, totalBytes: 80_701, fetchedBytes: 0 })
  })

  test.each<[string, (content: Uint8Array<ArrayBuffer>) => Response]>([
    ['short', (content) => new Response(content.slice(0, 300))],
    ['long', (content) => new Response(new Blob([content, content]))],
    [
      'of the right size with one wrong bit',
      (content) => new Response(content.map((byte, at) => (at === 9 ? byte ^ 1 : byte))),
    ],
    ['refused', () => new Response('no', { status: 503 })],
    ['cut by the network', () => new Response(brokenStream())],
  ])('%s once are fetched once more', async (_, fault) => {
    faults = { 'config.json': [fault] }
    const { files } = await drain([config])
    expect(requests).toEqual(['config.json', 'config.json'])
    expect(new Uint8Array(await files.get('config.json')!.arrayBuffer())).toEqual(served['config.json'])
  })

  test('damaged twice are refused by name, leave nothing behind, and keep what came before', async () => {
    faults = { 'weights.0': [cutShort, cutShort] }
    const error = await failure(drain([config, weights]))
    expect(error.code).toBe('download-failed')
    expect(error.message).toBe('weights.0 came with 40000 bytes, expected 50000')

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

test('a list that cannot be fetched is the one of the last visit', async () => {
  const cache = await caches.open(cacheName)
  expect((await failure(fetchJson('http://localhost:1/list.json', cacheName))).code).toBe('download-failed')
  await cache.put('http://localhost:1/list.json', new Response('{"cast":6}'))
  expect(await fetchJson('http://localhost:1/list.json', cacheName)).toEqual({ cast: 6 })
  await cache.put('http://localhost:1/list.json', new Response('no json'))
  expect((await failure(fetchJson('http://localhost:1/list.json', cacheName))).code).toBe('format-invalid')
})

function cutShort(content: Uint8Array<ArrayBuffer>): Response {
  return new Response(content.slice(0, 40_000))
}

function brokenStream(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(stream) {
      stream.enqueue(new Uint8Array(10))
      stream.error(new Error('the network went away'))
    },
  })
}
