import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'

import { expect, test, vi } from 'vitest'

import { fetchModel } from '../../../src/cli/fetch.ts'
import {
  breakAt,
  changeBytes,
  continueAnother,
  cutAtOnce,
  flipBit,
  mislabel,
  refuse,
  sendInstead,
  sendPacked,
  silence,
} from '../../support/faults.ts'
import { answerWell } from '../../support/faultServer.ts'
import { DATA, hashOf, INFO, model, openHubGround } from '../../support/hubGround.ts'
import type { HubGround } from '../../support/hubGround.ts'
import { openHubServer, refuseHub, sendOn } from '../../support/hubServer.ts'
import type { HubFault } from '../../support/hubServer.ts'

/*
 * What hubs, and whoever stands between them and the visitor, do wrong, and what is mended by asking again: no wrong byte is
 * ever used. What has to be told is in `toldFaults.test.ts`.
 */

const ground = openHubGround()
const data = model.files.get(DATA)!
const inASecond = (): string => new Date(Date.now() + 1000).toUTCString()
const pointer = (): Buffer =>
  Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\n`)
const html = (): Buffer => Buffer.from('<!doctype html><title>Sign in</title>')
const breakOff: HubFault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.write('[{"type":"file",', () => response.destroy())
}
const stopComing: HubFault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' }).write('[')
}

const mended: readonly (readonly [string, (ground: HubGround) => void | Promise<void>])[] = [
  ['no fault, with an empty file, by pages and by way of another host', () => undefined],
  ['a model that moved to another host', (at) => at.onInfo(sendOn(`${at.elsewhere.url}${INFO}main`))],
  ['a list that breaks off', (at) => at.onList(breakOff, breakOff)],
  ['a list that stops coming', (at) => at.onList(stopComing)],
  ['a hub that breaks off before an answer', (at) => at.onInfo((response) => response.destroy())],
  ['429 with seconds for the list', (at) => at.onList(refuseHub(429, { 'Retry-After': '0' }))],
  ['429 with a date for the list', (at) => at.onList(refuseHub(429, { 'Retry-After': inASecond() }))],
  ['500 and 503 for the list', (at) => at.onList(refuseHub(500), refuseHub(503))],
  ['502 for the model', (at) => at.onInfo(refuseHub(502))],
  [
    'links to files and to other repositories',
    (at) =>
      at.lists((all) => [
        ...all,
        { type: 'symlink', path: 'config.json', size: 9, oid: '1'.repeat(40) },
        { type: 'commit', path: 'other', oid: '2'.repeat(40) },
        { type: 'directory', path: 'onnx', size: 0, oid: '3'.repeat(40) },
      ]),
  ],
  ['a large file with a wrong bit', (at) => at.onFile(DATA, changeBytes(flipBit(70_000)))],
  ['a small file with a wrong bit', (at) => at.onFile('config.json', changeBytes(flipBit(7)))],
  ['a connection that breaks before an answer', (at) => at.onFile(DATA, cutAtOnce)],
  ['a connection that breaks in the middle', (at) => at.onFile(DATA, breakAt(100_000), breakAt(200_000))],
  ['silence', (at) => at.onFile(DATA, silence)],
  [
    'a range that is ignored',
    (at) =>
      at.onFile(
        DATA,
        breakAt(90_000),
        sendInstead((all) => all),
      ),
  ],
  ['416 to a continuation', (at) => at.onFile(DATA, breakAt(90_000), refuse(416))],
  [
    'a continuation from another byte',
    (at) =>
      at.onFile(
        DATA,
        breakAt(90_000),
        mislabel(({ from, to }) => `bytes ${from - 1}-${to - 2}/300000`),
      ),
  ],
  [
    'a continuation of another size',
    (at) =>
      at.onFile(
        DATA,
        breakAt(90_000),
        mislabel(({ from, to }) => `bytes ${from}-${to - 1}/300001`),
      ),
  ],
  [
    'a continuation of another version',
    (at) => at.onFile(DATA, breakAt(90_000), continueAnother(flipBit(200_000), '"other"')),
  ],
  [
    'no length',
    (at) =>
      at.onFile(
        DATA,
        sendInstead((all) => all, { isChunked: true }),
      ),
  ],
  [
    'a file that is too short, of no length',
    (at) =>
      at.onFile(
        DATA,
        sendInstead((all) => all.subarray(0, 90_000), { isChunked: true }),
      ),
  ],
  [
    'a file that goes on behind its end',
    (at) =>
      at.onFile(
        DATA,
        sendInstead((all) => Buffer.concat([all, all]), { isChunked: true }),
      ),
  ],
  [
    'a length that is too small',
    (at) =>
      at.onFile(
        DATA,
        sendInstead((all) => all.subarray(0, 90_000)),
      ),
  ],
  [
    'a length that is too large',
    (at) =>
      at.onFile(DATA, ({ response, content }) => {
        response.writeHead(200, { 'Content-Length': 300_009 })
        response.write(content, () => response.destroy())
      }),
  ],
  ['a file that comes packed', (at) => at.onFile('tokenizer.json', sendPacked())],
  [
    'a packed file that cannot be unpacked',
    (at) =>
      at.onFile(
        'tokenizer.json',
        sendPacked((packed) => flipBit(400)(packed).subarray(0, 4000)),
      ),
  ],
  ['429 with seconds for a file', (at) => at.onFile(DATA, refuse(429, { 'Retry-After': '0' }), refuse(429))],
  ['429 with a date for a file', (at) => at.onFile(DATA, refuse(429, { 'Retry-After': inASecond() }))],
  ['500 and 502 for a file', (at) => at.onFile(DATA, refuse(500), refuse(502))],
  ['an address of the storage that has run out', (at) => at.onFile(DATA, refuse(403))],
  ['a page to sign in in place of a file', (at) => at.onFile(DATA, sendInstead(html))],
  ['a pointer in place of a large file', (at) => at.onFile(DATA, sendInstead(pointer))],
  ['a file that the hub sends to nobody once', (at) => at.onHubFile(DATA, sendOn(at.nowhere))],
  [
    'the folder of a process that is no more',
    (at) => writeFile(at.place('.hycora-lock'), String(spawnSync(process.execPath, ['--version']).pid)),
  ],
  ['half of a chunk that a crash left', (at) => leaveChunk(at, data.subarray(0, 999))],
  ['a chunk that went bad on the disk', (at) => leaveChunk(at, flipBit(7)(data))],
  ["another model's file in the folder", (at) => writeFile(at.place('config.json'), 'other')],
]

async function leaveChunk(at: HubGround, content: Buffer): Promise<void> {
  await mkdir(at.place('.hycora-parts'))
  await writeFile(at.place('.hycora-parts', hashOf(data)), content)
}

test.each(mended)('%s', async (_, arrange) => {
  await arrange(ground())
  await ground().fetch()
  expect(await ground().flaws()).toEqual([])
})

test('stopped in the middle, the next call goes on', async () => {
  const controller = new AbortController()
  ground().onFile(DATA, () => controller.abort())
  await expect(ground().fetch({ signal: controller.signal })).rejects.toThrow('the download was stopped')
  expect(await ground().wrong()).toEqual([])
  ground().clear()
  await ground().fetch()
  expect(await ground().flaws()).toEqual([])
  expect(ground().hub.storage.requests).toEqual([`/${hashOf(data)}`])
})

test('two at once: one of them fetches, the other is told', async () => {
  let second: Promise<unknown> = Promise.resolve()
  ground().onFile(DATA, async ({ response }) => {
    second = ground()
      .fetch()
      .catch((error: unknown) => String(error))
    await second
    response.destroy()
  })
  await ground().fetch()
  expect(await ground().flaws()).toEqual([])
  expect(await second).toMatch(/is fetching into/)
})

test('a token is shown to the hub, and to nobody whom it names', async () => {
  vi.stubEnv('HF_TOKEN', 'hf_secret')
  await ground().fetch()
  expect(await ground().flaws()).toEqual([])
  expect(new Set(ground().hub.tokens)).toEqual(new Set(['hub Bearer hf_secret']))
  ground().onInfo(sendOn(`${ground().elsewhere.url}${INFO}main`))
  await rm(ground().place('config.json'))
  await ground().fetch()
  expect(ground().elsewhere.asked).not.toEqual([])
  expect(ground().elsewhere.tokens).toEqual([])
})

test('a file of several chunks comes in parts, and wrong bytes among them are not used', async () => {
  const content = Buffer.alloc(40 * 2 ** 20)
  for (let at = 0; at < content.length; at += 999) content.writeUInt8(at % 251, at)
  const files = new Map([...model.files, [DATA, content]])
  const large = { name: 'people/large-model', files }
  const hub = await openHubServer([large])
  vi.stubEnv('HF_ENDPOINT', hub.url)
  hub.storage.faults.set(`/${hashOf(content)}`, [answerWell, changeBytes(flipBit(20_000_000))])
  const words = [large.name, '--variant', 'q4', '--into', ground().folder]
  await fetchModel(words, { pauseMs: 1 })
  expect((await readFile(ground().place(DATA))).equals(content)).toBe(true)
  const ranges = ['0-16777215', '16777216-33554431', '33554432-41943039'].map(
    (range) => `/${hashOf(content)} ${range}`,
  )
  const asked = hub.storage.requests.filter((request) => request.startsWith(`/${hashOf(content)}`))
  expect(asked.toSorted()).toEqual([...ranges, ...ranges].toSorted())
  await hub.close()
}, 30_000)
