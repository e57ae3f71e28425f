import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, describe, expect, test } from 'vitest'

import { findChromium } from '../../../tools/chromium.mjs'
import { chooseVulkan, vulkanEnvironment } from '../../../tools/vulkan.mjs'

describe('findChromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hycora-chromium-'))
  const browser = join(folder, 'chromium')
  writeFileSync(browser, '')
  chmodSync(browser, 0o755)
  afterAll(() => rmSync(folder, { recursive: true }))

  test('takes the one that CHROMIUM_PATH names before all others', () => {
    expect(findChromium({ CHROMIUM_PATH: browser })).toBe(browser)
  })

  test('says so when CHROMIUM_PATH names nothing', () => {
    expect(() => findChromium({ CHROMIUM_PATH: join(folder, 'none') })).toThrow(
      /^CHROMIUM_PATH is .*none, expected/,
    )
  })

  test.runIf(process.platform === 'linux')(
    'looks in the folders of PATH, and passes over what is not accepted',
    () => {
      const isOurs = (path: string): boolean => path.startsWith(folder)
      expect(findChromium({ PATH: `/nowhere:${folder}` }, isOurs)).toBe(browser)
      expect(findChromium({ PATH: folder }, () => false)).not.toBe(browser)
    },
  )
})

describe('chooseVulkan', () => {
  const facts = { isNamed: false, drivers: [], hasLoader: true, hasGpu: false, chromium: '/usr/lib/chromium' }

  test.each([
    [
      'a driver for hardware that is there',
      { drivers: ['radeon_icd.json'], hasGpu: true },
      'system',
      'system',
    ],
    ['a software driver', { drivers: ['intel_icd.json', 'lvp_icd.json'] }, 'system', 'system'],
    ['a driver that the environment names', { isNamed: true }, 'system', 'system'],
    ['a named driver without a loader', { isNamed: true, hasLoader: false }, 'system', 'chromium'],
    ['a driver for hardware that is not there', { drivers: ['nvidia_icd.json'] }, 'chromium', 'chromium'],
    ['no driver', {}, 'chromium', 'chromium'],
    ['no driver and no Chromium', { chromium: undefined }, 'none', 'none'],
  ] as const)('%s: driver and loader', (_name, more, driver, loader) => {
    expect(chooseVulkan({ ...facts, ...more })).toEqual({ driver, loader })
  })
})

test('vulkanEnvironment keeps a driver that the environment names', () => {
  const named = { VK_ICD_FILENAMES: '/somewhere/icd.json', XDG_RUNTIME_DIR: '/run/user/1000' }
  const additions = vulkanEnvironment(named)
  expect(additions).not.toHaveProperty('VK_ICD_FILENAMES')
  expect(additions['XDG_RUNTIME_DIR'] ?? '/run/user/1000').toBe('/run/user/1000')
})

test('vulkanEnvironment names Chromium’s driver for the case that the system’s is too old', () => {
  const { HYCORA_DRIVER, HYCORA_SPARE_DRIVER, VK_ICD_FILENAMES } = vulkanEnvironment({})
  const spare = HYCORA_DRIVER === 'chromium' ? VK_ICD_FILENAMES : HYCORA_SPARE_DRIVER
  expect(spare ?? 'vk_swiftshader_icd.json').toMatch(/vk_swiftshader_icd\.json$/)
  expect(HYCORA_DRIVER === undefined || HYCORA_SPARE_DRIVER === undefined).toBe(true)
})
