import { mkdtemp, rm, writeFile, mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { openHubServer, refuseHub } from '../support/hubServer.ts'
import type { HubFault, HubServer } from '../support/hubServer.ts'
import { ON_PROCESSOR, choose, openSite } from '../support/site.ts'
import type { Site } from '../support/site.ts'

const ANSWER_MS = 400_000
const STARTER = resolve(import.meta.dirname, '../../public/models/starter')
const PATHS = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'onnx/model_fp16.onnx',
]

/** What is read of a line of the cast's. */
interface CastLine {
  readonly role: string
  readonly split: string
}

let site: Site
let hub: HubServer
let files: ReadonlyMap<string, Buffer>

/** Two dialogues of everybody of the cast: too few for any to be held out, and measured before and after. */
let fewLines: string

beforeAll(async () => {
  const lines = await readFile(resolve(STARTER, '../../cast/lines.jsonl'), 'utf8')
  fewLines = fewOf(lines)
  const read = await Promise.all(
    PATHS.map(async (path) => [path, await readFile(join(STARTER, path))] as const),
  )
  files = new Map([...read, ['onnx/model_q4.onnx', Buffer.alloc(20_000_000)]])
  hub = await openHubServer([
    { name: 'people/starter-again', files, licence: 'mit' },
    { name: 'people/gated', files, gated: 'manual' },
  ])
  site = await openSite()
})
afterAll(async () => {
  await site.close()
  await hub.close()
})

function fewOf(lines: string): string {
  const few = new Map<string, string[]>()
  for (const line of lines.split('\n').filter((text) => text.includes('"messages"'))) {
    const { role, split } = JSON.parse(line) as CastLine
    const own = few.get(role) ?? []
    if (split === 'train' && own.length < 2) few.set(role, [...own, line])
  }
  return [...few.values()].flat().join('\n')
}

/** A visitor with the drawer open, whose site names the hub of this test in place of its own. */
async function visit(path: 'wasm' | 'webgpu' = 'wasm'): Promise<Page> {
  // The site's policy allows the hubs that it names, of which this one is none.
  const context = await site.browser.newContext({ bypassCSP: true })
  const hubs = [{ name: 'The hub', url: hub.url, hosts: [] }]
  await context.route('**/models/hubs.json', (route) => route.fulfill({ json: hubs }))
  // What a browser without a picker of folders has; a test cannot choose in the other's.
  await context.addInitScript('delete window.showDirectoryPicker')
  await choose(context, site.url, { ...ON_PROCESSOR, path })
  const page = await context.newPage()
  await page.goto(site.url)
  await page.getByRole('progressbar').waitFor({ state: 'detached', timeout: ANSWER_MS })
  await openModels(page)
  return page
}

async function openModels(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Backstage' }).first().click()
  await page.getByRole('button', { name: 'Another model' }).click()
}

async function lookUp(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'A model on The hub' }).fill(text)
  await page.getByRole('button', { name: 'Look it up' }).click()
}

/** An answer that the browser keeps from pages of other origins. */
const close: HubFault = (response) => {
  response.removeHeader('Access-Control-Allow-Origin')
  refuseHub(200)(response)
}

async function expectAnswer(page: Page): Promise<void> {
  await page.goto(site.url)
  await page.getByRole('region', { name: 'The cast' }).getByText('Sherlock Holmes', { exact: true }).click()
  const box = page.getByRole('textbox', { name: /^Say something to/ })
  await box.fill('Hello! Who are you?')
  await box.press('Enter')
  await page.getByRole('button', { name: 'Again' }).waitFor({ timeout: ANSWER_MS })
  expect(await page.getByRole('article').last().innerText()).toMatch(/\w{2,} \w+/)
}

const isChosen = (page: Page, name: string): Promise<boolean> =>
  page.getByRole('radio', { name, exact: true }).isChecked()

test('a model comes from a hub when it is asked for, answers, stays for a visit without it, and goes', async () => {
  const page = await visit()
  expect(hub.asked).toEqual([])
  await lookUp(page, `${hub.url}/people/starter-again/tree/main`)
  await page.getByText('people/starter-again at c0ffee0000. Licence: mit. 2 forms of it are there.').waitFor()
  // The sizes of the model, and nothing of its weights.
  expect(hub.storage.requests).toHaveLength(1)
  // The browser of this test has no graphics card.
  await page.getByText(/^by the processor · 11/).waitFor()
  await page.getByRole('button', { name: 'Fetch 11 MB and play with it' }).click()
  await page.getByRole('button', { name: 'Remove starter-again (fp16)' }).waitFor({ timeout: ANSWER_MS })
  expect(await isChosen(page, 'starter-again (fp16)')).toBe(true)
  await page.getByRole('progressbar').waitFor({ state: 'detached', timeout: ANSWER_MS })
  await page.getByText('From The hub. On this device. This site has a pack that was trained on it').waitFor()
  await expectAnswer(page)

  hub.storage.requests.length = 0
  await page.reload()
  await expectAnswer(page)
  expect(hub.storage.requests).toEqual([])

  await page.getByRole('button', { name: 'Backstage' }).first().click()
  // Not while it is loaded, and a chat that was there before answers the question above at once.
  await page.getByRole('button', { name: 'Remove starter-again (fp16)' }).click({ timeout: ANSWER_MS })
  await page.getByRole('button', { name: 'Remove starter-again (fp16)' }).waitFor({ state: 'detached' })
  expect(await page.getByRole('radio', { name: /starter-again/ }).count()).toBe(0)
  await page.context().close()
})

test('a gated model, a name that nobody has, what is no name and a hub that answers no pages are told', async () => {
  const told = [
    ['people/gated', /does not give people\/gated.* to strangers \(403\).*open the folder/],
    ['nobody/nothing', /does not give nobody\/nothing@main to strangers \(401\)/],
    ['nothing', /"nothing" names no model, expected OWNER\/NAME/],
    ['people/closed', /cannot be reached: .*; look at its address and at your/],
  ] as const
  hub.faults.set('/api/models/people/gated', [refuseHub(403)])
  hub.faults.set('/api/models/people/closed', [close, close, close])
  const page = await visit()
  for (const [name, message] of told) {
    await lookUp(page, name)
    await page.getByText(message).waitFor()
    await page.getByRole('button', { name: 'Put away' }).click()
    expect(await page.getByRole('textbox', { name: 'A model on The hub' }).count()).toBe(1)
  }
  await page.context().close()
})

test('a folder of this device is a model too, on the next visit as well', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hycora-model-'))
  for (const path of PATHS) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), files.get(path)!)
  }
  const page = await visit()
  await page.getByLabel('The folder of a model').setInputFiles(folder)
  await page.getByText(/One form of it is there\./).waitFor()
  await page.getByRole('button', { name: 'Play with it' }).click()
  await page.getByText('A copy of your folder lies in this browser.').waitFor({ timeout: ANSWER_MS })
  await expectAnswer(page)
  await rm(folder, { recursive: true })
  await page.reload()
  await expectAnswer(page)
  await page.context().close()
})

test('the cast is taught to a model that was brought, and is there on the next visit', async () => {
  const page = await visit('webgpu')
  page.setDefaultTimeout(ANSWER_MS)
  await page.context().route('**/packs/index.json', (route) => route.fulfill({ json: [] }))
  // All ten thousand of them take a minute to read.
  await page.context().route('**/cast/lines.jsonl', (route) => route.fulfill({ body: fewLines }))
  await lookUp(page, 'people/starter-again')
  await page.getByRole('button', { name: 'Fetch 11 MB and play with it' }).click()
  await page.getByRole('button', { name: 'Remove starter-again (fp16)' }).waitFor()
  await page.getByRole('progressbar').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Close Backstage' }).click()
  const tiles = (): Promise<string[]> =>
    page.getByRole('region', { name: 'The cast' }).locator('bdi').allInnerTexts()
  const before = await tiles()
  await page.getByRole('button', { name: 'Teach the cast to this model' }).click()
  await page.getByText(/dialogues of 12 characters/).waitFor()
  const type = async (label: string, value: string): Promise<void> => {
    const field = page.getByRole('textbox', { name: label, exact: true })
    await field.fill(value)
    await field.press('Tab')
  }
  await type('Steps', '1')
  await page.getByText('Advanced settings').click()
  expect(await page.getByRole('textbox', { name: 'Rank', exact: true }).inputValue()).toBe('16')
  await type('Dialogues at a time', '1')
  await type('Rank', '1')
  await page.getByRole('textbox', { name: 'Questions to ask on the way' }).fill('')
  await page.getByRole('button', { name: 'Start the rehearsal' }).click()
  await page.getByText('The rehearsal ended at step 1.').waitFor()
  await page.getByRole('button', { name: 'Keep on this device' }).click()
  await page.getByRole('button', { name: 'Kept on this device' }).waitFor()

  await page.goto(site.url)
  await page.getByRole('progressbar').waitFor({ state: 'detached' })
  // They take the seats that they had.
  await expect.poll(tiles, { timeout: ANSWER_MS }).toEqual(before)
  await expectAnswer(page)
  expect(await page.getByText('The cast has not rehearsed').count()).toBe(0)
  await page.context().close()
})
