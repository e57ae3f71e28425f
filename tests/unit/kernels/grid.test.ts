import { expect, test } from 'vitest'

import { MOST_WORKGROUPS as MOST, exactGrid, paddedGrid } from '../../../src/gpu/grid.ts'
import { encode } from '../../../src/gpu/kernel.ts'
import type { Dispatch, Workgroups } from '../../../src/gpu/kernel.ts'

function dispatchOf(grid: Workgroups): Dispatch {
  return { label: 'gated', workgroups: () => grid } as unknown as Dispatch
}

test.each([0, 1, MOST, MOST + 1, 17 * 4096, 512 * 4096, 65_536 * 4096])('%d workgroups', (count) => {
  for (const grid of [exactGrid(count), paddedGrid(count)]) {
    expect(Math.max(...grid)).toBeLessThanOrEqual(MOST)
  }
  const [x, y] = exactGrid(count)
  expect(x * y).toBe(count)
  const [across, lines] = paddedGrid(count)
  expect(across * lines).toBeGreaterThanOrEqual(count)
  expect(across * (lines - 1)).toBeLessThanOrEqual(count)
})

test('a prime number of workgroups ends in the middle of a line, or stays as it is', () => {
  expect(paddedGrid(65_537)).toEqual([32_769, 2])
  expect(exactGrid(65_537)).toEqual([65_537, 1])
})

test('a grid that a device may refuse is not encoded', () => {
  const calls: PropertyKey[] = []
  const pass = new Proxy({}, { get: (_, name) => () => calls.push(name) }) as GPUComputePassEncoder
  const grids: Workgroups[] = [
    [MOST + 1, 1, 1],
    [1, MOST + 1, 1],
    [1, 1, MOST + 1],
  ]
  for (const grid of grids) {
    expect(() => encode(pass, dispatchOf(grid), 1)).toThrow(/^gated: a grid of .*at most 65535/)
  }
  expect(calls).toEqual([])
  encode(pass, dispatchOf([MOST, MOST, 1]), 1)
  expect(calls).toContain('dispatchWorkgroups')
})
