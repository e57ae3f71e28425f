import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { vulkanEnvironment } from '../../tools/vulkan.mjs'

const spare = vulkanEnvironment({ ...process.env, VK_ICD_FILENAMES: 'named' })['HYCORA_SPARE_DRIVER']
const folder = mkdtempSync(join(tmpdir(), 'hycora-driver-'))

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  vi.resetModules()
})

/** Dawn on a driver that there is no library of, as good as one that is too old. */
async function openOnBrokenDriver(): Promise<{ description: string; said: string[] }> {
  const manifest = join(folder, 'broken_icd.json')
  const driver = { library_path: join(folder, 'none.so'), api_version: '1.0.2' }
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD: driver }))
  vi.stubEnv('VK_ICD_FILENAMES', manifest)
  const said: string[] = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said.push(String(text))
    return true
  })
  const { openNodeDevice } = await import('../../src/cli/gpu.ts')
  const { description, device } = await openNodeDevice()
  const again = await openNodeDevice()
  for (const one of [device, again.device]) one.destroy()
  return { description, said }
}

test.runIf(spare !== undefined)(
  'a driver that is too old gives way to Chromium’s, with one line',
  async () => {
    vi.stubEnv('HYCORA_SPARE_DRIVER', spare)
    const { description, said } = await openOnBrokenDriver()
    expect(description.toLowerCase()).toContain('swiftshader')
    expect(said).toEqual([expect.stringMatching(/^warning: .*too old.*Chromium’s driver computes.*\n$/)])
  },
)

test('without Chromium’s it is told what to install', async () => {
  vi.stubEnv('HYCORA_SPARE_DRIVER', undefined)
  await expect(openOnBrokenDriver()).rejects.toMatchObject({
    code: 'webgpu-unavailable',
    message: expect.stringContaining('install a Vulkan driver'),
  })
})
