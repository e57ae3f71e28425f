import { expect, test } from 'vitest'

import { floatToHalf, halfToFloat, halvesToFloats } from '../../../src/core/half.ts'

const isNoNumber = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0

test('every half comes back from its float to the bit', () => {
  const halves = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits)
  const floats = halvesToFloats(halves)
  const wrong = [...halves].filter((bits) => !isNoNumber(bits) && floatToHalf(floats[bits]!) !== bits)
  expect(wrong).toEqual([])
  expect([...halves].filter((bits) => isNoNumber(bits) && !Number.isNaN(floats[bits]))).toEqual([])
})

test('a float between two halves goes to the nearer one, and from the middle to the even one', () => {
  for (const bits of [0x0001, 0x03fe, 0x0400, 0x3c00, 0x3c01, 0x7bfe]) {
    const [low, high] = [halfToFloat(bits), halfToFloat(bits + 1)]
    const middle = (low + high) / 2
    expect(floatToHalf(middle)).toBe(bits + (bits % 2))
    expect(floatToHalf(middle - (high - low) / 8)).toBe(bits)
    expect(floatToHalf(-middle - (high - low) / 8)).toBe(0x8000 | (bits + 1))
  }
})

test('what is too large is infinite, what is too small is zero', () => {
  expect(halfToFloat(floatToHalf(65_504))).toBe(65_504)
  expect(halfToFloat(floatToHalf(65_519))).toBe(65_504)
  expect(halfToFloat(floatToHalf(65_520))).toBe(Infinity)
  expect(halfToFloat(floatToHalf(-1e30))).toBe(-Infinity)
  expect(floatToHalf(2 ** -25)).toBe(0)
  expect(halfToFloat(floatToHalf(NaN))).toBeNaN()
})
