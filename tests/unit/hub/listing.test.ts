import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { downloadFiles } from '../../../src/download/downloads.ts'
import { filesUrl, listRepository } from '../../../src/hub/listing.ts'
import { variantsOf } from '../../../src/hub/variants.ts'
import { changeBytes, cutAtOnce, flipBit, refuse } from '../../support/faults.ts'
import type { Fault } from '../../support/faultServer.ts'
import { answerHtml, COMMIT, faultsOf, openHubServer, refuseHub } from '../../support/hubServer.ts'
import type { HubRepository, HubServer } from '../../support/hubServer.ts'

const random = new Random(5)
const contentOf = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.nextBelow(256)))

const model: HubRepository = {
  name: 'people/tiny-model',
  licence: 'apache-2.0',
  files: new Map([
    ['README.md', contentOf(50)],
    ['config.json', contentOf(300)],
    ['tokenizer.json', contentOf(5000)],
    ['onnx/model_q4.onnx', contentOf(2000)],
    ['onnx/model_q4.onnx_data', contentOf(300_000)],
  ]),
}
const gated: HubRepository = { ...model, name: 'people/gated', gated: 'manual' }

let hub: HubServer
beforeAll(async () => {
  hub = await openHubServer([model, gated])
})
afterAll(() => hub.close())
beforeEach(() => {
  hub.faults.clear()
  hub.storage.faults.clear()
})

const list = (name = model.name, revision = 'main') =>
  listRepository({ name, revision }, { hubUrl: hub.url, pauseMs: 1 })

async function fetchAll(name = model.name): Promise<Map<string, Buffer>> {
  const listing = await list(name)
  const [variant] = variantsOf(listing.files)
  const download = downloadFiles(variant!.files, {
    folder: filesUrl(listing, hub.url),
    isPinned: true,
    pauseMs: 1,
    stallMs: 2000,
  })
  let step = await download.next()
  while (!step.done) step = await download.next()
  const contents = new Map<string, Buffer>()
  for (const [path, blob] of step.value.files) contents.set(path, Buffer.from(await blob.arrayBuffer()))
  return contents
}

test('a listing of several pages, at the commit that the name stands for', async () => {
  const listing = await list()
  expect(listing).toMatchObject({
    name: model.name,
    revision: COMMIT,
    licence: 'apache-2.0',
    isGated: false,
  })
  expect(listing.files.map(({ path, bytes }) => [path, bytes])).toEqual(
    [...model.files].map(([path, content]) => [path, content.length]),
  )
})

test('files come by way of another host, each with the hash that the hub names', async () => {
  const contents = await fetchAll()
  expect([...contents.keys()]).toEqual([
    'config.json',
    'tokenizer.json',
    'onnx/model_q4.onnx',
    'onnx/model_q4.onnx_data',
  ])
  for (const [path, content] of contents) expect(content.equals(model.files.get(path)!)).toBe(true)
})

const mended: readonly (readonly [string, string, readonly Fault[]])[] = [
  ['one wrong bit in a large file', 'onnx/model_q4.onnx_data', [changeBytes(flipBit(70_000))]],
  ['one wrong bit in a small file', 'config.json', [changeBytes(flipBit(7))]],
  ['a connection that breaks', 'onnx/model_q4.onnx_data', [cutAtOnce]],
  ['a storage that is busy', 'onnx/model_q4.onnx_data', [refuse(429), refuse(503)]],
]

test.each(mended)('%s is mended', async (_, path, faults) => {
  faultsOf(hub, model, path, faults)
  const contents = await fetchAll()
  expect(contents.get(path)!.equals(model.files.get(path)!)).toBe(true)
})

test('wrong bytes, again and again, are never used', async () => {
  faultsOf(
    hub,
    model,
    'config.json',
    Array.from({ length: 9 }, () => changeBytes(flipBit(7))),
  )
  await expect(fetchAll()).rejects.toThrow(/^config\.json has git hash [0-9a-f]{40}, expected [0-9a-f]{40}$/)
})

test('a hub that is busy is asked again when it says', async () => {
  hub.faults.set('/api/models', [refuseHub(429, { 'Retry-After': '0' }), refuseHub(503)])
  expect((await list()).revision).toBe(COMMIT)
})

test.each([
  [
    'a name that nobody has',
    () => list('nobody/nothing'),
    /does not give nobody\/nothing@main to strangers \(401\)/,
  ],
  ['a revision that is not there', () => list(model.name, 'v9'), /has no model people\/tiny-model@v9/],
  ['a hub that is always busy', () => list(), /is asked too often from here \(429\): try again/],
  ['a wait that is too long', () => list(), /is asked too often from here \(429\)/],
  [
    'a hub that is broken',
    () => list(),
    /answered 500 when it was asked for people\/tiny-model@main: try again later/,
  ],
  ['a page to sign in', () => list(), /does not answer as a hub of models does/],
  ['the files of a gated model', () => fetchAll(gated.name), /config\.json: the server answered 403/],
])('%s is told', async (fault, act, message) => {
  const plans: Readonly<Record<string, Parameters<typeof hub.faults.set>[1]>> = {
    'a revision that is not there': [refuseHub(404)],
    'a hub that is always busy': Array.from({ length: 5 }, () => refuseHub(429)),
    'a wait that is too long': [refuseHub(429, { 'Retry-After': '3600' })],
    'a hub that is broken': Array.from({ length: 5 }, () => refuseHub(500)),
    'a page to sign in': [answerHtml],
  }
  hub.faults.set('/api/models', plans[fault] ?? [])
  await expect(act()).rejects.toThrow(message)
})

test.each(['../out.onnx', '/etc/out.onnx', 'onnx/../../out.onnx', 'a\\..\\out.onnx', 'C:/out.onnx'])(
  'a file %s that would lie elsewhere is refused',
  async (path) => {
    const evil = await openHubServer([{ name: 'a/b', files: new Map([[path, contentOf(9)]]) }])
    const asked = listRepository({ name: 'a/b', revision: 'main' }, { hubUrl: evil.url })
    await expect(asked).rejects.toThrow(/is no path of a file in a model/)
    await evil.close()
  },
)

test('a hub that cannot be reached is told', async () => {
  const asked = listRepository(
    { name: 'a/b', revision: 'main' },
    { hubUrl: 'http://127.0.0.1:9', pauseMs: 1 },
  )
  await expect(asked).rejects.toThrow(/^http:\/\/127\.0\.0\.1:9 cannot be reached: /)
})
