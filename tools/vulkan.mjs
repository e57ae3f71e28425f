import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { findChromium } from './chromium.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

function systemHasDriver() {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']
  return folders.some(
    (folder) => existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.json')),
  )
}

/**
 * What must be in the environment before Node starts so that Dawn finds a Vulkan driver: nothing where the system has
 * one (or the user names one), else the software driver and the loader that Chromium ships.
 * @returns {Record<string, string>}
 */
export function vulkanEnvironment() {
  const environment = { XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? '/tmp' }
  if (process.platform !== 'linux' || process.env['VK_ICD_FILENAMES'] || systemHasDriver()) return environment
  const chromium = findChromium()
  const folder =
    chromium &&
    [dirname(chromium), '/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'].find(
      (candidate) => existsSync(join(candidate, 'vk_swiftshader_icd.json')),
    )
  if (!folder) return environment
  // Only the loader is taken from Chromium's folder: its other libraries must not shadow the system's.
  const loaders = join(root, 'node_modules', '.cache', 'vulkan')
  mkdirSync(loaders, { recursive: true })
  const link = join(loaders, 'libvulkan.so.1')
  if (!existsSync(link)) symlinkSync(join(folder, 'libvulkan.so.1'), link)
  return {
    ...environment,
    VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: [loaders, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':'),
  }
}
