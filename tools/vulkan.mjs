// @ts-check
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { findChromium } from './chromium.mjs'
import { cache } from './install.mjs'

const driverFolders = [
  '/usr/share/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/etc/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
]
const libraryFolders = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  '/usr/local/lib',
]
const chromiumFolders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome']

/** @param {string} folder */
function listing(folder) {
  return existsSync(folder) ? readdirSync(folder) : []
}

/**
 * What decides about the driver.
 * @typedef {object} VulkanFacts
 * @property {boolean} isNamed the environment names a driver
 * @property {readonly string[]} drivers the system's driver manifests
 * @property {boolean} hasLoader the system has `libvulkan.so.1`
 * @property {boolean} hasGpu a graphics device is there
 * @property {string | undefined} chromium the folder of a Chromium that has SwiftShader
 */

/**
 * Whose driver and whose loader to use. A driver for hardware counts only where there is hardware; a software driver
 * always does.
 * @param {VulkanFacts} facts
 * @returns {{ driver: 'system' | 'chromium' | 'none', loader: 'system' | 'chromium' | 'none' }}
 */
export function chooseVulkan({ isNamed, drivers, hasLoader, hasGpu, chromium }) {
  const usable = isNamed || drivers.some((name) => hasGpu || /lvp|lavapipe|swiftshader/i.test(name))
  const spare = chromium === undefined ? 'none' : 'chromium'
  if (usable) return { driver: 'system', loader: hasLoader ? 'system' : spare }
  return { driver: spare, loader: spare }
}

/** @returns {string | undefined} */
function chromiumFolder() {
  /** @type {string | undefined} */
  let browser
  try {
    browser = findChromium()
  } catch {
    // A wrong CHROMIUM_PATH is for the tests to report; other browsers may still lend their driver.
  }
  return [...(browser ? [dirname(browser)] : []), ...chromiumFolders].find(
    (folder) =>
      existsSync(join(folder, 'vk_swiftshader_icd.json')) && existsSync(join(folder, 'libvulkan.so.1')),
  )
}

/** A folder with nothing but Chromium's loader: its other libraries must not stand before the system's. @param {string} folder */
function loaderFolder(folder) {
  const loaders = join(cache, 'vulkan')
  const link = join(loaders, 'libvulkan.so.1')
  mkdirSync(loaders, { recursive: true })
  rmSync(link, { force: true })
  symlinkSync(join(folder, 'libvulkan.so.1'), link)
  return loaders
}

/**
 * What must be in the environment before Node starts so that Dawn finds a Vulkan driver: nothing where the system has
 * one for what is here, or the environment names one; else the software driver and the loader that Chromium ships, and
 * `HYCORA_DRIVER`, which says so. Whether the system's driver is new enough shows only where it is used: for that
 * `HYCORA_SPARE_DRIVER` names Chromium's.
 * @param {NodeJS.ProcessEnv} [environment]
 * @returns {Record<string, string>}
 */
export function vulkanEnvironment(environment = process.env) {
  if (process.platform !== 'linux') return {}
  // Drivers complain without it.
  const additions = { XDG_RUNTIME_DIR: environment['XDG_RUNTIME_DIR'] ?? '/tmp' }
  const chromium = chromiumFolder()
  const { driver, loader } = chooseVulkan({
    isNamed: Boolean(environment['VK_ICD_FILENAMES'] ?? environment['VK_DRIVER_FILES']),
    drivers: driverFolders.flatMap(listing).filter((name) => name.endsWith('.json')),
    hasLoader: libraryFolders.some((folder) => existsSync(join(folder, 'libvulkan.so.1'))),
    hasGpu:
      listing('/dev/dri').some((name) => name.startsWith('renderD')) ||
      existsSync('/dev/nvidiactl') ||
      existsSync('/dev/dxg'),
    chromium,
  })
  if (chromium === undefined) return additions
  const manifest = join(chromium, 'vk_swiftshader_icd.json')
  return {
    ...additions,
    ...(driver === 'chromium'
      ? { VK_ICD_FILENAMES: manifest, HYCORA_DRIVER: 'chromium' }
      : { HYCORA_SPARE_DRIVER: manifest }),
    ...(loader === 'chromium' && {
      LD_LIBRARY_PATH: [loaderFolder(chromium), environment['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
    }),
  }
}
