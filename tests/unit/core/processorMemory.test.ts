import { describe, expect, test } from 'vitest'

import { cacheBytes, memoryBytes } from '../../../src/core/processorMemory.ts'

const GIB = 2 ** 30
/** Keys and values of Qwen3-0.6B: 28 layers of 8 heads of 128, in float32. */
const POSITION_BYTES = 28 * 2 * 8 * 128 * 4

describe('the cache of keys and values on the processor', () => {
  test('holds a long chat with a model of 0.6 billion weights', () => {
    expect(cacheBytes(0.75 * GIB, 4 * GIB) / POSITION_BYTES).toBeGreaterThan(3000)
  })

  test('has room on a small machine, and grows with the memory that there is', () => {
    const sizes = [0.5, 1, 2, 3, 4].map((memory) => cacheBytes(0.6 * GIB, memory * GIB))
    expect(sizes[0]).toBe(96 * 2 ** 20)
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
    expect(sizes[3]).toBeGreaterThan(0.4 * GIB)
  })

  test('leaves the weights their room in what WebAssembly can address', () => {
    expect(cacheBytes(3.2 * GIB, 64 * GIB)).toBeLessThan(0.2 * GIB)
    expect(cacheBytes(0, 64 * GIB)).toBeLessThanOrEqual(GIB)
  })

  test('asks the machine', () => {
    expect(memoryBytes()).toBeGreaterThan(2 ** 26)
  })
})
