import { page } from 'vitest/browser'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { startApp } from '../../../app/startApp.tsx'
import { removeOwnModel } from '../../../app/stores/engine/addModel.ts'
import { chooseBackbone, retryEngine, useEngine } from '../../../app/stores/engine/engine.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
import { keptBytes } from '../../../src/storage/fileCache.ts'
import { pageFiles } from '../../../src/storage/manifest.ts'
import type { OwnBackbone } from '../../../src/storage/ownModels.ts'
import { forgetOwnModel, keepOwnModel } from '../../../src/storage/ownModels.ts'
import { defaultSettings } from '../../../src/storage/settings.ts'
import { createFakeEngine } from '../../support/fakeEngine.ts'
import type { FakeEngine } from '../../support/fakeEngine.ts'

const ID = 'brought'
const PACK = 'packs/starter.hycora.safetensors'

let engine: FakeEngine
let close: () => void
let root: HTMLElement

/** A model of the visitor's, in a folder; the scripted engine says that it is the starter, whatever it is called. */
async function bring(): Promise<void> {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(ID, { create: true })
  const place = { kind: 'folder', folder, root: '' } as const
  const facts = { name: 'Somebody’s', licence: '', model: 'model.onnx', filesUrl: '', files: [], bytes: 1 }
  await keepOwnModel({ version: 1, id: ID, place, fingerprint: '', addedAt: 1, ...facts })
}

const rolesOf = (_: string, pack?: string): string[] => (pack ? ['Alice', 'Sherlock Holmes'] : [])

beforeEach(async () => {
  root = document.body.appendChild(document.createElement('div'))
  location.hash = '#/'
  engine = createFakeEngine({ roles: rolesOf })
  await bring()
  changeSettings({ ...defaultSettings, backbone: ID })
  close = await startApp(root, () => engine)
})
afterEach(async () => {
  close()
  root.remove()
  await forgetOwnModel(ID)
})

test('on a model that was brought, the pack that the site lists for its fingerprint plays', async () => {
  const packs = (): (string | undefined)[] => engine.loaded.map(({ pack }) => pack?.name)
  await vi.waitFor(() => expect(useEngine.getState().phase).toBe('ready'), 10_000)
  // What it is, is known once it has been read.
  expect(packs()).toEqual([undefined, PACK])
  expect(engine.loaded[1]?.pack?.file.size).toBe(3_704_384)
  const { info, isPackListed } = useEngine.getState()
  expect(info?.roles.map(({ name }) => name)).toEqual(['Alice', 'Sherlock Holmes'])
  expect(isPackListed).toBe(true)
  await page.getByRole('button', { name: 'Backstage' }).click()
  await expect.element(page.getByText(`Read in your folder ${ID}. This site has a pack`)).toBeInTheDocument()

  // Whether it is computed rightly here can be asked.
  await page.getByRole('button', { name: 'Compare with onnxruntime' }).click()
  for (const told of [
    'The same model: 1.6e-11 of the squared logits apart.',
    'that leads 3.1e-2 away.',
    'Of the likeliest 3 tokens the first 2 are the same.',
    'Tokens a second: 42 here, 9.2 in onnxruntime on the processor.',
  ])
    await expect.element(page.getByText(told)).toBeInTheDocument()

  await retryEngine()
  expect(packs()).toEqual([undefined, PACK, PACK])
  expect(useEngine.getState().isPackListed).toBe(true)

  await page.getByRole('button', { name: 'Close Backstage' }).click()
  // The model of the site has the same one as its own.
  await chooseBackbone('starter')
  expect(useEngine.getState()).toMatchObject({ phase: 'ready', isPackListed: false })
  // What was found of the other model is not said of this one.
  await page.getByRole('button', { name: 'Backstage' }).click()
  await expect.element(page.getByRole('button', { name: 'Compare with onnxruntime' })).toBeInTheDocument()
  expect(page.getByText('The same model').elements()).toEqual([])
  await page.getByRole('button', { name: 'Close Backstage' }).click()
})

/** Whether the model of the address plays. */
function expectStarter(): void {
  const { backbone, phase } = useEngine.getState()
  expect([backbone?.name, phase]).toEqual(['starter', 'ready'])
}

test('a model comes from an address of this site, stays for a visit without it, and goes', async () => {
  await page.getByRole('button', { name: 'Backstage' }).click()
  await page.getByRole('button', { name: 'Another model' }).click()
  const path = page.getByRole('textbox', { name: 'The path of a model on this site' })
  const look = page.getByRole('button', { name: 'Look there' })
  await page.getByText('Models that are worth a look').click()
  await expect.element(page.getByText('Tried here: its weights, written as fp32')).toBeInTheDocument()

  await path.fill('https://elsewhere.example/models/')
  await look.click()
  await expect.element(page.getByText(/lies on another site than this page/)).toBeInTheDocument()
  await page.getByRole('button', { name: 'Put away' }).click()

  await path.fill('/models/starter')
  await look.click()
  await page.getByRole('button', { name: 'Fetch 11 MB and play with it' }).click()
  await vi.waitFor(expectStarter, 20_000)
  const { backbone } = useEngine.getState()
  const paths = ['config.json', 'generation_config.json', 'onnx/model_fp16.onnx', 'tokenizer.json']
  expect([...engine.loaded.at(-1)!.files.keys()].toSorted()).toEqual([...paths, 'tokenizer_config.json'])
  await expect
    .element(page.getByText(/From http.*\/models\/starter\/\. On this device\./))
    .toBeInTheDocument()

  const before = globalThis.fetch
  const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input, location.href)
    const isOfModel = pathname.startsWith('/models/starter/')
    return isOfModel ? Promise.reject(new TypeError('no network')) : before(input, init)
  })
  await retryEngine()
  fetching.mockRestore()
  expectStarter()

  await removeOwnModel(backbone as OwnBackbone)
  expect(await keptBytes(pageFiles(backbone!))).toBe(0)
})
