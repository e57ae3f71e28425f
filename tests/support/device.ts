import { create, globals } from 'webgpu'

import { requestDevice } from '../../src/gpu/device.ts'
import { CARD } from '../../src/gpu/tuning.ts'
import type { TunedDevice, Tuning } from '../../src/gpu/tuning.ts'
import { scrambleDevice } from './scrambledLanes.ts'

Object.assign(globalThis, globals)

/** Dawn frees the instance, and with it every device, once nothing refers to it any more. */
const gpu = create([])
let shared: Promise<TunedDevice> | undefined

/** The tests' device: Dawn in Node on whatever Vulkan driver the environment names. Errors of the API fail the test. */
export async function testDevice(): Promise<GPUDevice> {
  return (await testGpu()).device
}

/** The tests' device with its tuning, or with another in parts. Tokens are computed ahead, which is the harder way. */
export async function testGpu(tuning: Partial<Tuning> = {}): Promise<TunedDevice> {
  shared ??= openDevice()
  const found = await shared
  return { ...found, tuning: { ...found.tuning, stepsAhead: 2, ...tuning } }
}

/** A device of a test's own, whose errors are the test's own affair. */
export async function ownGpu(features: readonly GPUFeatureName[] = []): Promise<TunedDevice> {
  const adapter = await gpu.requestAdapter()
  if (!adapter) throw new Error('no WebGPU adapter: is a Vulkan driver there? (npm test sets one up)')
  return requestDevice(adapter, features)
}

/** With `HYCORA_PLANS=card` all computes as on a graphics card, whatever driver there is; with `HYCORA_LANES=scrambled` out of order. */
async function openDevice(): Promise<TunedDevice> {
  const own = await ownGpu()
  const { HYCORA_PLANS: plans, HYCORA_LANES: lanes } = process.env
  if (lanes === 'scrambled') scrambleDevice(own.device)
  const tuned = plans === 'card' ? { ...own, tuning: CARD } : own
  tuned.device.addEventListener('uncapturederror', (event) => {
    throw new Error(`uncaptured GPU error: ${event.error.message}`)
  })
  return tuned
}
