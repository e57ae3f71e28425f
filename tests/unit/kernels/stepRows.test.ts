import { expect, test } from 'vitest'

import { packRows, stepWords } from '../../../src/kernels/operands/stepRows.ts'

test('rows are packed as the shaders declare them', () => {
  const packed = packRows([
    { position: 7, slot: 2, scale: 0.5 },
    { position: 0, slot: 1, scale: -3, sequence: 4 },
  ])
  const words = new Uint32Array(packed)
  const floats = new Float32Array(packed)
  expect(words).toHaveLength(stepWords(2))
  expect([...words.subarray(0, 3), floats[3], words[4]]).toEqual([2, 7, 2, 0.5, 0])
  expect([...words.subarray(5, 7), floats[7], words[8]]).toEqual([0, 1, -3, 4])
})

test('no rows are a count of zero', () => {
  expect(new Uint32Array(packRows([]))).toEqual(Uint32Array.of(0))
})
