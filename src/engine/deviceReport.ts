import { isSoftware, limitsOf, namesOf, requestAdapter } from '../gpu/device.ts'
import type { DeviceReport } from './protocol.ts'

const NOTHING = { vendor: '', architecture: '', description: '', features: [], limits: {} }

/** What this place offers for computing, without keeping a device. */
export async function reportDevice(gpu: GPU | undefined): Promise<DeviceReport> {
  if (!gpu) return { ...NOTHING, status: 'no-webgpu', reason: 'navigator.gpu is missing' }
  try {
    const adapter = await requestAdapter(gpu)
    if (!adapter) return { ...NOTHING, status: 'no-adapter', reason: 'requestAdapter gave null' }
    const { vendor, architecture, description } = namesOf(adapter)
    return {
      status: isSoftware(adapter) ? 'software' : 'ready',
      vendor,
      architecture,
      description,
      features: [...adapter.features].toSorted(),
      limits: limitsOf(adapter.limits),
      reason: '',
    }
  } catch (error) {
    return { ...NOTHING, status: 'no-device', reason: error instanceof Error ? error.message : String(error) }
  }
}
