import { expect } from 'vitest'

import { createTensor, readBuffer, sizeOf } from '../../src/gpu/tensor.ts'
import type { Tensor } from '../../src/gpu/tensor.ts'

const GUARD_BYTES = 256
const SENTINEL = 0xdeadbeef

/** A tensor whose buffer is longer than its shape; the rest holds sentinels that no kernel may touch. */
export function createGuarded(device: GPUDevice, shape: readonly number[], label: string): Tensor {
  const used = sizeOf(shape)
  const { buffer } = createTensor(device, [used + GUARD_BYTES / 4], label)
  const words = new Uint32Array(buffer.size / 4).fill(SENTINEL)
  device.queue.writeBuffer(buffer, 0, words)
  return { buffer, shape }
}

/** Checks that there are words, and that all of them are sentinels, bit for bit. */
export function expectUntouched(words: Float32Array | Uint32Array): void {
  const bits = new Uint32Array(words.buffer, words.byteOffset, words.length)
  expect(new Set(bits)).toEqual(new Set([SENTINEL]))
}

/** The values of a guarded tensor, after checking that its sentinels are untouched. */
export async function readGuarded(device: GPUDevice, tensor: Tensor): Promise<Float32Array> {
  const bytes = await readBuffer(device, tensor.buffer)
  const used = sizeOf(tensor.shape)
  const guards = new Uint32Array(bytes, used * 4)
  expect(guards.every((word) => word === SENTINEL)).toBe(true)
  return new Float32Array(bytes, 0, used)
}
