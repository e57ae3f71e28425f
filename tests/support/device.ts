import { create, globals } from 'webgpu'

import { requestDevice } from '../../src/gpu/device.ts'

Object.assign(globalThis, globals)

/** Dawn frees the instance, and with it every device, once nothing refers to it any more. */
const gpu = create([])
let shared: Promise<GPUDevice> | undefined

/** The tests' device: Dawn in Node on whatever Vulkan driver the environment names. Errors of the API fail the test. */
export function testDevice(): Promise<GPUDevice> {
  shared ??= openDevice()
  return shared
}

async function openDevice(): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter()
  if (!adapter) throw new Error('no WebGPU adapter: is a Vulkan driver there? (npm test sets one up)')
  const device = await requestDevice(adapter)
  device.addEventListener('uncapturederror', (event) => {
    throw new Error(`uncaptured GPU error: ${event.error.message}`)
  })
  return device
}
