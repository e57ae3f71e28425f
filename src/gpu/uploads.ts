import { hear } from './lateNews.ts'

/** Some browsers keep a copy of all that is written until the next submit: no more than so much at once. */
const MOST_BYTES = 32 * 2 ** 20

interface Uploads {
  bytes: number
  before: Promise<unknown>
}

const uploads = new WeakMap<GPUDevice, Uploads>()

/**
 * Counts what is written to a device, and submits what has come together; the part before must have gone over by then, so
 * that at most two lie beside what the device has.
 */
export async function countUpload(device: GPUDevice, bytes: number): Promise<void> {
  const sum = uploads.get(device) ?? { bytes: 0, before: Promise.resolve() }
  uploads.set(device, sum)
  sum.bytes += bytes
  if (sum.bytes < MOST_BYTES) return
  const { before } = sum
  sum.bytes = 0
  device.queue.submit([])
  // A device that is lost meanwhile is heard of by whoever loads.
  sum.before = device.queue.onSubmittedWorkDone().catch(() => undefined)
  await hear(device, before)
}
