import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'

import { expect, test, vi } from 'vitest'

import { changeBytes, flipBit, refuse, sendInstead } from '../../support/faults.ts'
import {
  DATA,
  entries,
  FILES,
  hashOf,
  info,
  INFO,
  model,
  TREE,
  openHubGround,
} from '../../support/hubGround.ts'
import type { HubGround } from '../../support/hubGround.ts'
import { answerHtml, answerJson, COMMIT, refuseHub, sendOn } from '../../support/hubServer.ts'
import type { HubFault } from '../../support/hubServer.ts'

/*
 * What hubs do wrong that asking again does not mend: it is told in one sentence that says what to do, nothing wrong is left
 * in the folder, and with the fault gone the next call brings the model.
 */

const ground = openHubGround()
const always = <T>(fault: T): T[] => Array.from({ length: 40 }, () => fault)
const farDate = (): string => new Date(Date.now() + 9_999_000).toUTCString()
const pointer = (): Buffer =>
  Buffer.from(`version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\n`)
const endless: HubFault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  const more = (): void => {
    if (!response.destroyed) response.write(' '.repeat(2 ** 20), more)
  }
  more()
}
const file = { type: 'file', path: 'x' }
const one = '1'.repeat(40)
const part = (): string => ground().place('.hycora-parts', `${hashOf(model.files.get(DATA)!)}.part`)

interface Told {
  readonly fault: string
  readonly arrange: (ground: HubGround) => void | Promise<void>
  readonly message: RegExp
  /** What the visitor does about it, where that is more than to call again. */
  readonly mend?: (ground: HubGround) => Promise<void>
}

const noHub = /^http:\S+ does not answer as a hub of models does: /
const gated =
  /does not give people\/tiny-model(@main)? to strangers \(40[13]\).*Accept its terms at http:\S+\/people\/tiny-model, fetch it with .hycora fetch. and your HF_TOKEN/
const another =
  /: http:\S+ sends another file than it lists\. Nothing of that file was used\. Look the model up again/

const unreadable: readonly Told[] = [
  ['a page to sign in in place of the model', (at: HubGround) => at.onInfo(answerHtml)],
  ['a page to sign in in place of the list', (at: HubGround) => at.onList(answerHtml)],
  ['a list that is none', (at: HubGround) => at.lists(() => ({ files: entries }))],
  ['a list of nothing', (at: HubGround) => at.lists(() => [null])],
  ['a model of no commit', (at: HubGround) => at.onInfo(answerJson({ ...info, sha: 'main' }))],
  ['a model under another name', (at: HubGround) => at.onInfo(answerJson({ ...info, id: '../../etc' }))],
  ['a file of no size', (at: HubGround) => at.lists((all) => [...all, { ...file, oid: one }])],
  ['a file of no hash', (at: HubGround) => at.lists((all) => [...all, { ...file, size: 1 }])],
  ['a file of less than nothing', (at: HubGround) => at.lists(() => [{ ...file, oid: one, size: -1 }])],
  ['a file that no disk holds', (at: HubGround) => at.lists(() => [{ ...file, oid: one, size: 2 ** 50 }])],
  ['a name twice', (at: HubGround) => at.lists((all) => [...all, { ...all[1], size: 9 }])],
].map(([fault, arrange]) => ({ fault, arrange, message: noHub }) as Told)

const listed: readonly Told[] = [
  {
    fault: 'names that differ in their case alone',
    arrange: (at) =>
      at.lists((all) => [
        ...all,
        ...['config.json', 'tokenizer.json', 'model.onnx', 'w.bin', 'W.bin'].map((path) => ({
          ...all[1],
          path: `one/${path}`,
        })),
      ]),
    message: /^people\/tiny-model has both w\.bin and W\.bin$/,
  },
  { fault: 'a list without an end', arrange: (at) => at.onList(endless), message: /a list without an end$/ },
  {
    fault: 'pages that lead back',
    arrange: (at) => {
      const link = { Link: `<${at.hub.url}${TREE}${COMMIT}?recursive=true>; rel="next"` }
      at.always(TREE, answerJson([], link))
    },
    message: /lists files without an end$/,
  },
  {
    fault: 'a next page at another host',
    arrange: (at) => {
      const link = { Link: `<${at.elsewhere.url}${TREE}${COMMIT}>; rel="next"` }
      at.onList(answerJson(entries.slice(0, 2), link))
    },
    message: /sends on to http:\S+ for its list, which is not asked$/,
  },
  {
    fault: 'a model that leads in a circle',
    arrange: (at) => at.always(INFO, sendOn(`${at.hub.url}${INFO}main`)),
    message: /cannot be reached: redirect count exceeded; look at its address and at your connection$/,
  },
  {
    fault: 'a file that is listed as empty, and is not',
    arrange: (at) =>
      at.lists((all) =>
        all.map((entry) => (entry['path'] === 'config.json' ? { ...entry, size: 0 } : entry)),
      ),
    message: another,
  },
]

const refused: readonly Told[] = [
  {
    fault: 'no model of that name',
    arrange: (at) => at.onInfo(refuseHub(404)),
    message: /has no model people\/tiny-model@main \(404\): look at how its name/,
  },
  { fault: '401 for the model', arrange: (at) => at.onInfo(refuseHub(401)), message: gated },
  { fault: '403 for the model', arrange: (at) => at.onInfo(refuseHub(403)), message: gated },
  { fault: '401 for a file', arrange: (at) => at.onHubFile('config.json', refuseHub(401)), message: gated },
  { fault: '403 for a file', arrange: (at) => at.onHubFile('config.json', refuseHub(403)), message: gated },
  {
    fault: 'an address of the storage that runs out for good',
    arrange: (at) => at.onFile(DATA, ...always(refuse(403))),
    message: gated,
  },
  {
    fault: '404 for a file',
    arrange: (at) => at.onHubFile(DATA, refuseHub(404)),
    message: /answered 404.*: it was there when people\/tiny-model was listed\. Look the model up again\.$/,
  },
  {
    fault: '429 for long',
    arrange: (at) => at.onInfo(refuseHub(429, { 'Retry-After': '3600' })),
    message: /asked too often from here \(429\): try again in some minutes/,
  },
  {
    fault: '429 until a far date',
    arrange: (at) => at.onInfo(refuseHub(429, { 'Retry-After': farDate() })),
    message: /asked too often from here/,
  },
  {
    fault: '429 for a file, for long',
    arrange: (at) => at.onFile(DATA, refuse(429, { 'Retry-After': '3600' })),
    message: /answered 429.*; it asks to be left alone for 60 minutes$/,
  },
  {
    fault: '500, always',
    arrange: (at) => at.onInfo(...always(refuseHub(500))),
    message: /answered 500 when it was asked for people\/tiny-model@main: try again later/,
  },
  {
    fault: '503 for a file, always',
    arrange: (at) => at.onFile(DATA, ...always(refuse(503))),
    message: /_data: the server answered 503, expected 200$/,
  },
]

const broken: readonly Told[] = [
  {
    fault: 'a large file that was changed',
    arrange: (at) => at.onFile(DATA, ...always(changeBytes(flipBit(70_000)))),
    message: another,
  },
  {
    fault: 'a small file that was changed',
    arrange: (at) => at.onFile('config.json', ...always(changeBytes(flipBit(7)))),
    message: another,
  },
  {
    fault: 'a file of another length',
    arrange: (at) => at.onFile(DATA, ...always(sendInstead(pointer))),
    message: another,
  },
  {
    fault: 'a file that leads in a circle',
    arrange: (at) => at.always(FILES + DATA, sendOn(at.hub.url + FILES + DATA)),
    message: /_data stopped at 0 of 300000 bytes: redirect count exceeded$/,
  },
  {
    fault: 'a host that nobody knows',
    arrange: () => void vi.stubEnv('HF_ENDPOINT', 'http://nobody.invalid'),
    message: /^http:\/\/nobody\.invalid cannot be reached: .*nobody\.invalid; look at its address/,
  },
  {
    fault: 'a host at which nobody is',
    arrange: (at) => void vi.stubEnv('HF_ENDPOINT', at.nowhere),
    message: /cannot be reached: connect ECONNREFUSED/,
  },
  {
    fault: 'an address that is none',
    arrange: () => void vi.stubEnv('HF_ENDPOINT', 'hub'),
    message: /^hub does not answer as a hub/,
  },
  {
    fault: 'another process at the same folder',
    arrange: (at) => writeFile(at.place('.hycora-lock'), String(process.pid)),
    message: /^process \d+ is fetching into \S+ already: wait for it, or end it/,
    mend: (at) => rm(at.place('.hycora-lock')),
  },
  {
    fault: 'a disk without room',
    arrange: async (at) => {
      await mkdir(at.place('.hycora-parts'))
      await symlink('/dev/full', part())
    },
    message: /^there is no room for \S+: free some and call again: what came is kept$/,
    mend: () => rm(part()),
  },
  {
    fault: 'a folder where a file belongs',
    arrange: async (at) => {
      await mkdir(at.place('config.json'))
    },
    message: /config\.json cannot be written: /,
    mend: (at) => rm(at.place('config.json'), { recursive: true }),
  },
]

test.each([...unreadable, ...listed, ...refused, ...broken])('$fault', async ({ arrange, message, mend }) => {
  await arrange(ground())
  await expect(ground().fetch()).rejects.toThrow(message)
  expect(await ground().wrong()).toEqual([])
  ground().clear()
  await mend?.(ground())
  await ground().fetch()
  expect(await ground().flaws()).toEqual([])
})

test.each([
  '../x',
  '/x',
  'a/../../x',
  'a\\..\\x',
  'C:/x',
  'a/./x',
  'a/ .. /x',
  'a\nb',
  `${'x/'.repeat(600)}x`,
  7,
])('a file %j that would lie elsewhere', async (path) => {
  ground().lists((all) => [...all, { ...all[0], path }])
  await expect(ground().fetch()).rejects.toThrow(/is no path of a file in a model$/)
  expect(await readdir(ground().folder)).toEqual([])
})
