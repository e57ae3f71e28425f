import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'

import { fetchModel } from '../../../src/cli/fetch.ts'
import { Random } from '../../../src/core/random.ts'
import { cutAtOnce } from '../../support/faults.ts'
import { faultsOf, openHubServer } from '../../support/hubServer.ts'
import type { HubRepository, HubServer } from '../../support/hubServer.ts'

const random = new Random(11)
const contentOf = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.nextBelow(256)))

const files = new Map([
  ['config.json', contentOf(300)],
  ['tokenizer.json', contentOf(4000)],
  ['onnx/model.onnx', contentOf(150_000)],
  ['onnx/model_q4.onnx', contentOf(2000)],
  ['onnx/model_q4.onnx_data', contentOf(200_000)],
])
const model: HubRepository = { name: 'people/tiny-model', files }
const gated: HubRepository = { name: 'people/gated', files, gated: 'auto' }
const bare: HubRepository = { name: 'people/bare', files: new Map([['onnx/model.onnx', contentOf(9)]]) }

let hub: HubServer
let folder = ''
let said = ''
beforeAll(async () => {
  hub = await openHubServer([model, gated, bare])
})
afterAll(() => hub.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hycora-fetch-'))
  said = ''
  vi.stubEnv('HF_ENDPOINT', `${hub.url}/`)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text)
    return true
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  hub.storage.requests.length = 0
  hub.storage.faults.clear()
  await rm(folder, { recursive: true })
})

const fetchQ4 = (): Promise<void> => fetchModel([model.name, '--variant', 'q4', '--into', folder])
const wanted = ['config.json', 'tokenizer.json', 'onnx/model_q4.onnx', 'onnx/model_q4.onnx_data']

async function expectWhole(): Promise<void> {
  for (const path of wanted) expect((await readFile(join(folder, path))).equals(files.get(path)!)).toBe(true)
  expect((await readdir(folder)).toSorted()).toEqual(['config.json', 'onnx', 'tokenizer.json'])
  expect((await readdir(join(folder, 'onnx'))).toSorted()).toEqual(['model_q4.onnx', 'model_q4.onnx_data'])
}

test('a model comes whole, and a second call fetches nothing', async () => {
  await fetchQ4()
  await expectWhole()
  expect(said).toContain('people/tiny-model@c0ffee0000 lies at')
  hub.storage.requests.length = 0
  await fetchQ4()
  expect(hub.storage.requests).toEqual([])
  expect(said).toContain('nothing to fetch')
})

test('a form is named by its file, too', async () => {
  await fetchModel([model.name, '--variant', 'onnx/model_q4.onnx', '--into', folder])
  await expectWhole()
})

test('what was broken off goes on: only what never came is asked for, and what was changed since is put right', async () => {
  const always = Array.from({ length: 9 }, () => cutAtOnce)
  faultsOf(hub, model, 'onnx/model_q4.onnx_data', always)
  await expect(fetchQ4()).rejects.toThrow(/onnx\/model_q4\.onnx_data stopped at 0 of 200000 bytes/)
  hub.storage.faults.clear()
  hub.storage.requests.length = 0
  await writeFile(join(folder, 'config.json'), 'mine')
  await fetchQ4()
  await expectWhole()
  expect(hub.storage.requests).toHaveLength(1)
}, 30_000)

test.each([
  [['people/tiny-model', '--json'], /--json goes with --list/],
  [['people/tiny-model', '--variant', 'q8'], /has no form q8, only: fp32/],
  [['people/bare'], /people\/bare has no config\.json and no tokenizer\.json/],
  [['people/gated', '--variant', 'q4'], /does not give people\/gated to strangers \(403\).*HF_TOKEN/],
  [['people'], /"people" names no model, expected OWNER\/NAME/],
  [['a/b', 'c/d'], /fetch takes one repository, not 2/],
])('%j is refused', async (words, message) => {
  await expect(fetchModel([...words, '--into', folder])).rejects.toThrow(message)
})

test('without a word the form is taken that suits, and it is said of which', async () => {
  await fetchModel([model.name, '--into', folder])
  await expectWhole()
  expect(said).toContain(
    'comes in several forms, of which q4 is taken: fp32 (0.2 MB, 32 bits); q4 (0.2 MB, 4 bits)',
  )
})

test('forms are listed with their bytes, and nothing is fetched', async () => {
  let printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
  await fetchModel([model.name, '--list', '--json'])
  const { forms } = JSON.parse(printed) as { forms: readonly { variant: string }[] }
  expect(forms.find(({ variant }) => variant === 'q4')).toEqual({
    variant: 'q4',
    file: 'onnx/model_q4.onnx',
    bytes: wanted.reduce((sum, path) => sum + files.get(path)!.length, 0),
    precision: '4 bits',
    isRecommended: true,
  })
  expect(forms).toHaveLength(2)
  printed = ''
  await fetchModel([model.name, '--list'])
  expect(printed).toMatch(/^people\/tiny-model@c0ffee0000\w*\n {2}fp32 .*\n {2}q4 .*, taken by default\n$/)
  expect(hub.storage.requests).toEqual([])
})

test('a folder is needed', async () => {
  await expect(fetchModel(['a/b'])).rejects.toThrow('--into is missing')
})
