import { requestAdapter, requestDevice } from './device.ts'

/** Allocated at once: memory that is free in parts is found, too. */
const STEP_BYTES = 256 * 2 ** 20
const STORAGE = 0x80 // GPUBufferUsage STORAGE; Node has no such global

/** More is not tried: some drivers promise whatever they are asked for. */
const MOST_BYTES = 16 * 2 ** 30

/**
 * Tries how much memory a device gives in buffers, up to `wanted` bytes; all of it is given back. Drivers that promise more
 * than there is say so only when it is used.
 */
export async function tryRoom(
  device: GPUDevice,
  wanted: number,
  step = Math.min(STEP_BYTES, device.limits.maxBufferSize),
): Promise<number> {
  const most = Math.min(wanted, MOST_BYTES)
  const buffers: GPUBuffer[] = []
  let given = 0
  try {
    while (given < most) {
      device.pushErrorScope('validation')
      device.pushErrorScope('out-of-memory')
      buffers.push(device.createBuffer({ size: step, usage: STORAGE, label: 'trial of room' }))
      const faults = [await device.popErrorScope(), await device.popErrorScope()]
      if (faults.some((fault) => fault !== null)) break
      given += step
    }
  } finally {
    for (const buffer of buffers) buffer.destroy()
  }
  return Math.min(given, most)
}

/** The same on a device of its own, beside what is loaded; null where there is none. */
export async function tryGraphicsRoom(gpu: GPU | undefined, wanted: number): Promise<number | null> {
  try {
    const adapter = gpu && (await requestAdapter(gpu))
    if (!adapter) return null
    const { device } = await requestDevice(adapter)
    try {
      return await tryRoom(device, wanted)
    } finally {
      device.destroy()
    }
  } catch {
    return null
  }
}
