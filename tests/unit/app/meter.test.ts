import { expect, test } from 'vitest'

import { createMeter } from '../../../app/stores/engine/meter.ts'

test('a speed is that of the last seconds', () => {
  const measure = createMeter(5000)
  expect(measure(0, 0)).toBe(0)
  expect(measure(100, 100)).toBe(0)
  expect(measure(1000, 1000)).toBe(1000)
  // Ten times as fast from now on: after five seconds the slow start is forgotten.
  for (let second = 2; second <= 6; second++) measure(1000 + (second - 1) * 10_000, second * 1000)
  expect(measure(61_000, 7000)).toBe(10_000)
})

test('a speed forgets a pause, and bytes that were given up', () => {
  const measure = createMeter(5000)
  measure(0, 0)
  measure(5000, 1000)
  expect(measure(5000, 20_000)).toBe(0)
  expect(measure(15_000, 21_000)).toBe(10_000)
  expect(measure(1000, 22_000)).toBe(0)
  expect(measure(3000, 23_000)).toBe(2000)
})
