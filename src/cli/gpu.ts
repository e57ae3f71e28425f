import { createRequire } from 'node:module'

import { HycoraError } from '../core/errors.ts'
import { namesOf, requestAdapter, requestDevice } from '../gpu/device.ts'
import type { AdapterNames } from '../gpu/device.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { checkSoundness } from '../model/gpu/knownAnswers.ts'
import { paceDawn } from './paceDawn.ts'

/** A device in Node, with what is worth saying of its adapter. */
export interface NodeDevice extends TunedDevice {
  readonly description: string
  readonly names: AdapterNames
}

/** What is used of the package `webgpu`. */
interface Dawn {
  create(options: string[]): GPU
  readonly globals: object
}

/** Dawn's instance: it must outlive its devices, so it is held for as long as the process lives. */
let instance: GPU | undefined

/** Whether it was said that Chromium's driver computes. */
let isTold = false

/**
 * A WebGPU device from Dawn, on whatever Vulkan, Metal or D3D12 driver the machine has; where the system's Vulkan driver
 * is missing or too old, on Chromium's, with one line that says so.
 *
 * @throws HycoraError `webgpu-unavailable` where Dawn is not installed or finds no driver; `wrong-answers` of a card that
 *   computes wrongly.
 */
export async function openNodeDevice(features: readonly GPUFeatureName[] = []): Promise<NodeDevice> {
  const dawn = loadDawn()
  Object.assign(globalThis, dawn.globals)
  // tools/vulkan.mjs sets both.
  const { HYCORA_DRIVER: driver, HYCORA_SPARE_DRIVER: spare } = process.env
  if (driver === 'chromium') tell('no Vulkan driver of the system is for this machine')
  try {
    return await openWith(dawn, features)
  } catch (error) {
    if (spare === undefined || process.env['VK_ICD_FILENAMES'] === spare) throw error
    // The loader of drivers reads the environment anew for every instance.
    process.env['VK_ICD_FILENAMES'] = spare
    instance = undefined
    const device = await openWith(dawn, features)
    tell('the system’s Vulkan driver is too old, or does not work here')
    return device
  }
}

function loadDawn(): Dawn {
  try {
    return createRequire(import.meta.url)('webgpu') as Dawn
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('webgpu-unavailable', `Dawn did not load: ${reason.split('\n')[0]}`)
  }
}

function tell(why: string): void {
  if (!isTold) process.stderr.write(`warning: ${why}: Chromium’s driver computes, on the processor\n`)
  isTold = true
}

async function openWith(dawn: Dawn, features: readonly GPUFeatureName[]): Promise<NodeDevice> {
  const adapter = await requestAdapter((instance ??= dawn.create([])))
  if (!adapter) {
    throw new HycoraError(
      'webgpu-unavailable',
      'no graphics driver was found; install a Vulkan driver or Chromium, whose software driver serves too',
    )
  }
  const names = namesOf(adapter)
  const { vendor, architecture, description } = names
  const found = await requestDevice(adapter, features)
  if (found.isSoftware) paceDawn()
  await checkSoundness(found)
  return {
    ...found,
    names,
    description: [vendor, architecture, description].filter(Boolean).join(' '),
  }
}
