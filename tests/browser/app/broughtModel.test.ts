import { page } from 'vitest/browser'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { startApp } from '../../../app/startApp.tsx'
import { chooseBackbone, retryEngine, useEngine } from '../../../app/stores/engine/engine.ts'
import { changeSettings } from '../../../app/stores/page/settings.ts'
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

  await retryEngine()
  expect(packs()).toEqual([undefined, PACK, PACK])
  expect(useEngine.getState().isPackListed).toBe(true)

  // The model of the site has the same one as its own.
  await chooseBackbone('starter')
  expect(useEngine.getState()).toMatchObject({ phase: 'ready', isPackListed: false })
})
