import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { downloadFiles } from '../../../src/download/downloads.ts'
import { filesUrl, listRepository } from '../../../src/hub/listing.ts'
import { variantsOf } from '../../../src/hub/variants.ts'
import { COMMIT, openHubServer } from '../../support/hubServer.ts'
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
