import { createHash } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import type { ChunkStore } from '../../../src/download/chunkStore.ts'
import { downloadFiles } from '../../../src/download/downloads.ts'
import type { DownloadOptions, DownloadProgress } from '../../../src/download/downloads.ts'
import type { ServedFile } from '../../../src/download/servedFile.ts'
import { changeBytes, cutAtOnce, flipBit, mislabel, refuse, sendInstead } from '../../support/faults.ts'
import { answerWell, openFaultServer } from '../../support/faultServer.ts'
import type { Exchange, Fault, FaultServer } from '../../support/faultServer.ts'

const CHUNK = 10_000
const CHUNKS = 12
const random = new Random(20261130)
const content = Buffer.from(Array.from({ length: CHUNK * CHUNKS - 77 }, () => random.nextBelow(256)))
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const starts = Array.from({ length: CHUNKS }, (_, index) => index * CHUNK)

/** Of which only the whole has a hash, as hubs have it; and one whose chunks have hashes, as the site has it. */
const whole: ServedFile = {
  path: 'weights',
  bytes: content.length,
  sha256: hashOf(content),
  chunks: { bytes: CHUNK, sha256: null },
}
const divided: ServedFile = {
  ...whole,
  chunks: { bytes: CHUNK, sha256: starts.map((at) => hashOf(content.subarray(at, at + CHUNK))) },
}

let server: FaultServer
beforeAll(async () => {
  server = await openFaultServer({ read: (path) => (path === '/weights' ? content : undefined) })
})
afterAll(() => server.close())
beforeEach(() => {
  server.requests.length = 0
  server.faults.clear()
})

/** A store in memory. */
function openStore(): ChunkStore {
  const kept = new Map<string, Blob>()
  const proofs = new Map<string, readonly string[]>()
  return {
    read: ({ name }) => Promise.resolve(kept.get(name)),
    keep(chunk, blob) {
      kept.set(chunk.name, blob)
      return Promise.resolve(blob)
    },
    remove({ name }) {
      kept.delete(name)
      return Promise.resolve()
    },
    readProof: ({ sha256 }) => Promise.resolve(proofs.get(sha256)),
    keepProof({ sha256 }, hashes) {
      proofs.set(sha256, hashes)
      return Promise.resolve()
    },
  }
}

async function fetchWeights(
  file = divided,
  options: Partial<DownloadOptions> = {},
): Promise<readonly DownloadProgress[]> {
  const download = downloadFiles([file], {
    folder: server.url,
    pauseMs: 1,
    partBytes: 3 * CHUNK,
    ...options,
  })
  const steps: DownloadProgress[] = []
  let step = await download.next()
  for (; !step.done; step = await download.next()) steps.push(step.value)
  const fetched = Buffer.from(await step.value.files.get('weights')!.arrayBuffer())
  expect(fetched.equals(content)).toBe(true)
  return steps
}

const parts = ['0-29999', '30000-59999', '60000-89999', '90000-119922'].map((range) => `/weights ${range}`)
/** The faults of the requests, by their number; the others are answered well. */
const faultsAt = (faults: Readonly<Record<number, Fault>>): void => {
  server.faults.set(
    '/weights',
    Array.from({ length: 40 }, (_, index) => faults[index] ?? answerWell),
  )
}

/** Answers once so many requests wait. */
function together(count: number): Fault {
  const waiting: Exchange[] = []
  return (exchange) => {
    waiting.push(exchange)
    if (waiting.length === count) for (const one of waiting) answerWell(one)
  }
}

test('several parts come at a time, once the first has come as a part', async () => {
  const three = together(3)
  faultsAt({ 1: three, 2: three, 3: three })
  const steps = await fetchWeights()
  expect(server.requests).toEqual(parts)
  expect(steps.at(-1)).toMatchObject({ doneBytes: content.length, fetchedBytes: content.length })
  for (const { doneBytes } of steps) expect(doneBytes).toBeLessThanOrEqual(content.length)
})

test('four at most', async () => {
  const waiting: Exchange[] = []
  let open = 0
  const hold: Fault = (exchange) => {
    waiting.push(exchange)
    // The fifth may only come when one of these was answered.
    if (waiting.length === 4) answerWell(waiting[0]!)
    if (waiting.length === 5) {
      open = server.requests.length
      for (const one of waiting.slice(1)) answerWell(one)
    }
  }
  faultsAt({ 1: hold, 2: hold, 3: hold, 4: hold, 5: hold })
  await fetchWeights(divided, { partBytes: 2 * CHUNK })
  expect([open, server.requests.length]).toEqual([6, 6])
})

test('a server without parts is asked once', async () => {
  faultsAt({ 0: sendInstead((all) => all) })
  await fetchWeights()
  expect(server.requests).toEqual(['/weights 0-29999'])
})

test('a server without parts that breaks off gives all of it on the second request', async () => {
  const all = sendInstead((bytes) => bytes)
  faultsAt({ 0: sendInstead((bytes) => bytes.subarray(0, 45_000), { isChunked: true }), 1: all, 2: all })
  await fetchWeights()
  expect(server.requests).toEqual(['/weights 0-29999', '/weights 40000-59999', '/weights'])
})

const mended: readonly (readonly [string, Readonly<Record<number, Fault>>, readonly string[]])[] = [
  ['a part with a wrong bit', { 2: changeBytes(flipBit(70_000)) }, ['/weights 70000-89999']],
  ['a part that breaks off', { 1: cutAtOnce }, [parts[1]!]],
  ['a part that is refused for now', { 3: refuse(503) }, [parts[3]!]],
  ['a part under another label', { 2: mislabel(() => `bytes 0-1/${content.length}`) }, ['/weights']],
  ['no parts but the first', { 1: refuse(416), 2: refuse(416), 3: refuse(416) }, ['/weights']],
]

test.each(mended)('%s is mended', async (_, faults, asked) => {
  faultsAt(faults)
  const steps = await fetchWeights()
  expect(server.requests.slice(0, 4).toSorted()).toEqual(parts)
  expect(server.requests.slice(4)).toEqual(asked)
  expect(steps.some(({ trouble }) => trouble !== null)).toBe(true)
})

test('a server that lets one connection in gives everything through it', async () => {
  const waiting: (() => void)[] = []
  let refused = 0
  const first: Fault = ({ response, from, to }) => {
    response.writeHead(206, { 'Content-Range': `bytes ${from}-${to - 1}/${content.length}` })
    response.write(content.subarray(from, to - 1))
    waiting.push(() => response.end(content.subarray(to - 1, to)))
  }
  // The other three ask three times each, and then no more.
  const turnAway: Fault = (exchange) => {
    if (++refused === 9) for (const finish of waiting) finish()
    return refuse(429)(exchange)
  }
  const others = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [index + 1, turnAway]))
  faultsAt({ 0: first, ...others })
  await fetchWeights()
  expect(refused).toBe(9)
  expect(server.requests).toHaveLength(13)
})

test('wrong bytes of a file that is proven as a whole are never used', async () => {
  faultsAt({ 2: changeBytes(flipBit(70_000)) })
  await fetchWeights(whole)
  expect(server.requests).toHaveLength(8)
  const always = changeBytes(flipBit(70_000))
  faultsAt(Object.fromEntries(Array.from({ length: 40 }, (_, index) => [index, always])))
  await expect(fetchWeights(whole)).rejects.toThrow(/^weights has SHA-256 [0-9a-f]{64}, expected/)
})

test('what is broken off goes on with the parts that never came', async () => {
  const store = openStore()
  const controller = new AbortController()
  const stop: Fault = () => controller.abort()
  faultsAt({ 2: stop })
  await expect(fetchWeights(whole, { store, signal: controller.signal })).rejects.toThrow('was stopped')
  server.requests.length = 0
  server.faults.clear()
  const steps = await fetchWeights(whole, { store })
  expect(server.requests).not.toContain(parts[0])
  expect(server.requests).toContain(parts[2])
  const fetched = steps.at(-1)!.fetchedBytes
  expect(fetched).toBeLessThanOrEqual(content.length - 3 * CHUNK)
  server.requests.length = 0
  await fetchWeights(whole, { store })
  expect(server.requests).toEqual([])
})

test('a part that is not there ends it at once', async () => {
  faultsAt({ 1: refuse(404) })
  await expect(fetchWeights()).rejects.toThrow('weights: the server answered 404, expected 206')
})
