import { createRequire } from 'node:module'

import { HycoraError } from '../core/errors.ts'
import { requestAdapter, requestDevice } from '../gpu/device.ts'
import type { TunedDevice } from '../gpu/tuning.ts'

/** A device in Node, with what is worth saying of its adapter. */
export interface NodeDevice extends TunedDevice {
  readonly description: string
}

/** Dawn's instance: it must outlive its devices, so it is held for as long as the process lives. */
let instance: GPU | undefined

/**
 * A WebGPU device from Dawn, on whatever Vulkan, Metal or D3D12 driver the machine has.
 *
 * @throws HycoraError `webgpu-unavailable` where Dawn is not installed or finds no driver.
 */
export async function openNodeDevice(): Promise<NodeDevice> {
  const load = createRequire(import.meta.url)
  let dawn: { create: (options: string[]) => GPU; globals: object }
  try {
    dawn = load('webgpu') as typeof dawn
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('webgpu-unavailable', `Dawn did not load: ${reason.split('\n')[0]}`)
  }
  Object.assign(globalThis, dawn.globals)
  const adapter = await requestAdapter((instance ??= dawn.create([])))
  if (!adapter) {
    throw new HycoraError(
      'webgpu-unavailable',
      'no graphics driver was found; install a Vulkan driver or Chromium, whose software driver serves too',
    )
  }
  const { vendor, architecture, description } = adapter.info
  return {
    ...(await requestDevice(adapter)),
    description: [vendor, architecture, description].filter(Boolean).join(' '),
  }
}
