import { HycoraError } from '../core/errors.ts'
import { listenForFaults } from './deviceFaults.ts'
import { CARD, EMULATED } from './tuning.ts'
import type { TunedDevice } from './tuning.ts'

/** An adapter's limits as a plain record, for requests and reports. */
export function limitsOf(limits: GPUSupportedLimits): Record<string, number> {
  const record: Record<string, number> = {}
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits]
    if (typeof value === 'number') record[name] = value
  }
  return record
}

/**
 * Whether the adapter is a CPU pretending to be a GPU. Not every browser says so in `isFallbackAdapter`, so the
 * names of the known software drivers count as well.
 */
export function isSoftware(info: GPUAdapterInfo): boolean {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`.toLowerCase()
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|softpipe|basic render/.test(text)
}

/** The adapter to compute on, or undefined where the browser offers none. */
export async function requestAdapter(gpu: GPU): Promise<GPUAdapter | undefined> {
  return (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ?? undefined
}

/**
 * A device whose buffers may be as large as the adapter has them, since models need bindings far beyond the defaults. All
 * other limits are the defaults, and there are no optional features: no kernel needs more than any phone has. What
 * it complains of outside of error scopes is heard from the start.
 *
 * @throws HycoraError `webgpu-unavailable` with the browser's reason when it gives no device.
 */
export async function requestDevice(adapter: GPUAdapter): Promise<TunedDevice> {
  const { limits } = adapter
  try {
    const device = await adapter.requestDevice({
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      },
    })
    listenForFaults(device)
    const isEmulated = isSoftware(adapter.info)
    return { device, isSoftware: isEmulated, tuning: isEmulated ? EMULATED : CARD }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('webgpu-unavailable', `the browser gave no graphics device: ${reason}`)
  }
}
