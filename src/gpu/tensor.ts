import { asHycoraError, check } from '../core/errors.ts'
import { throwFault } from './deviceFaults.ts'
import { hear } from './lateNews.ts'

/** A dense row-major array of 32-bit elements on the GPU. Who creates it destroys it. */
export interface Tensor {
  readonly buffer: GPUBuffer
  readonly shape: readonly number[]
  /** Where it begins in a buffer that holds several, a multiple of 256; 0 where left out. */
  readonly offsetBytes?: number
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1)
}

// Spelled out, since Node has no such globals.
const STORAGE = 0x80 | 0x4 | 0x8 // GPUBufferUsage STORAGE | COPY_SRC | COPY_DST
const READ_BACK = 0x1 | 0x8 // GPUBufferUsage MAP_READ | COPY_DST
const MAP_READ = 0x1 // GPUMapMode READ

/** The most bytes that one buffer of a device, bound as a whole, may have. */
export function bindableBytes({ limits }: GPUDevice): number {
  return Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)
}

/**
 * A new zero-filled tensor. Every allocation of the engine goes through here, so that what a device cannot give is
 * said before it is used.
 *
 * @throws HycoraError `out-of-memory` when the size exceeds what one binding of the device may hold.
 */
export function createTensor(device: GPUDevice, shape: readonly number[], label: string): Tensor {
  const sizeBytes = Math.max(16, Math.ceil((sizeOf(shape) * 4) / 16) * 16)
  const limit = bindableBytes(device)
  check(
    sizeBytes <= limit,
    'out-of-memory',
    () => `${label} needs ${sizeBytes} bytes, this device allows ${limit} in one buffer`,
  )
  return { buffer: device.createBuffer({ size: sizeBytes, usage: STORAGE, label }), shape }
}

/** Columns of a matrix from a multiple of 64 on, in rows as far apart as before. */
export function columnsFrom(tensor: Tensor, first: number): Tensor {
  if (first === 0) return tensor
  check(first % 64 === 0, 'shape-mismatch', () => `columns begin at ${first}, expected a multiple of 64`)
  return { ...tensor, offsetBytes: (tensor.offsetBytes ?? 0) + 4 * first }
}

/** Bytes of a tensor's binding: all of its buffer, or what of the part that it is lies within. */
export function bindingBytes({ buffer, shape, offsetBytes }: Tensor): number {
  return offsetBytes === undefined ? buffer.size : Math.min(sizeOf(shape) * 4, buffer.size - offsetBytes)
}

/** A tensor for a binding that a kernel does not read. */
export function placeholder(device: GPUDevice): Tensor {
  return createTensor(device, [4], 'placeholder')
}

/** A new tensor holding `data` (f32, u32 or i32 values). */
export function uploadTensor(
  device: GPUDevice,
  shape: readonly number[],
  data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
  label: string,
): Tensor {
  check(
    data.length === sizeOf(shape),
    'shape-mismatch',
    () => `${label} has ${data.length} elements, its shape [${shape.join(', ')}] holds ${sizeOf(shape)}`,
  )
  const tensor = createTensor(device, shape, label)
  device.queue.writeBuffer(tensor.buffer, 0, data)
  return tensor
}

/** A buffer that the device copies into and `readMapped` reads. */
export function createReadBack(device: GPUDevice, sizeBytes: number): GPUBuffer {
  return device.createBuffer({ size: sizeBytes, usage: READ_BACK, label: 'read back' })
}

/**
 * What was copied into such a buffer, once the device has done it; the buffer may be copied into again afterwards. What
 * is read is what was computed: where a call failed meanwhile, nothing is.
 *
 * @throws HycoraError as `throwFault`; `device-lost` when the device went meanwhile.
 */
export async function readMapped(device: GPUDevice, buffer: GPUBuffer): Promise<ArrayBuffer> {
  try {
    await hear(device, buffer.mapAsync(MAP_READ))
  } catch (error) {
    throwFault(device)
    throw asHycoraError(error, 'device-lost')
  }
  try {
    throwFault(device)
    return buffer.getMappedRange().slice(0)
  } finally {
    buffer.unmap()
  }
}

/** Copies bytes of a buffer back to the host; waits for all work submitted before. @throws HycoraError as `readMapped`. */
export async function readBuffer(
  device: GPUDevice,
  buffer: GPUBuffer,
  offsetBytes = 0,
  sizeBytes = buffer.size - offsetBytes,
): Promise<ArrayBuffer> {
  const staging = createReadBack(device, sizeBytes)
  const encoder = device.createCommandEncoder()
  encoder.copyBufferToBuffer(buffer, offsetBytes, staging, 0, sizeBytes)
  device.queue.submit([encoder.finish()])
  try {
    return await readMapped(device, staging)
  } finally {
    staging.destroy()
  }
}

/** A tensor's values as float32. */
export async function readTensor(
  device: GPUDevice,
  { buffer, shape, offsetBytes = 0 }: Tensor,
): Promise<Float32Array> {
  return new Float32Array(await readBuffer(device, buffer, offsetBytes, sizeOf(shape) * 4))
}
