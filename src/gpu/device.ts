import { HycoraError } from '../core/errors.ts'
import { listenForFaults } from './deviceFaults.ts'
import { STEPS_AHEAD, findLateNews } from './lateNews.ts'
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

/** What an adapter says of itself; empty where the browser keeps it back. */
export interface AdapterNames {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
}

/** How an adapter is asked: browsers before Chrome 127 have no `info`, those before Chrome 136 the flag beside it. */
interface AskedAdapter {
  readonly info?: Partial<GPUAdapterInfo> | undefined
  readonly isFallbackAdapter?: boolean
}

/** The names of a graphics card or driver, as far as the browser gives them. */
export function namesOf({ info }: AskedAdapter): AdapterNames {
  const { vendor = '', architecture = '', device = '', description = '' } = info ?? {}
  return { vendor, architecture, device, description }
}

/**
 * Whether the adapter is a processor that plays a graphics card. Not every browser says so, and most hide what a device is
 * called, so the names of the known software drivers count as well: Dawn calls Mesa's "mesa", "software" and Windows' "warp".
 */
export function isSoftware(adapter: AskedAdapter): boolean {
  const names = namesOf(adapter)
  const text = Object.values(names).join(' ').toLowerCase()
  const isNamed = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/.test(text)
  const isMesa = /\bmesa\b.*\bsoftware\b/.test(text)
  return adapter.info?.isFallbackAdapter === true || adapter.isFallbackAdapter === true || isNamed || isMesa
}

/** What a kernel for processors that emulate a card uses where they have it. */
const SOFTWARE_FEATURES = ['subgroups'] as const

/** The adapter to compute on, or undefined where the browser offers none. */
export async function requestAdapter(gpu: GPU): Promise<GPUAdapter | undefined> {
  return (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ?? undefined
}

/**
 * A device whose buffers may be as large as the adapter has them, since models need bindings far beyond the defaults. All
 * other limits are the defaults, and there are no optional features but those that are asked for: no kernel of a card needs
 * more than any phone has. A processor that emulates one gets what makes it faster, where it is there. What it complains of outside of error scopes is heard from the start.
 *
 * @throws HycoraError `webgpu-unavailable` with the browser's reason when it gives no device.
 */
export async function requestDevice(
  adapter: GPUAdapter,
  features: readonly GPUFeatureName[] = [],
): Promise<TunedDevice> {
  const { limits } = adapter
  const isEmulated = isSoftware(adapter)
  const spare = SOFTWARE_FEATURES.filter((name) => isEmulated && adapter.features.has(name))
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: [...features, ...spare],
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      },
    })
    listenForFaults(device)
    const tuning = isEmulated ? EMULATED : CARD
    const stepsAhead = (await findLateNews(device)) ? STEPS_AHEAD : tuning.stepsAhead
    return { device, isSoftware: isEmulated, tuning: { ...tuning, stepsAhead } }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new HycoraError('webgpu-unavailable', `the browser gave no graphics device: ${reason}`)
  }
}
