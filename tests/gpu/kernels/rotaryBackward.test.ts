import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { rotaryBackward } from '../../../src/kernels/rotaryBackward.ts'
import { rotaryBackwardReference } from '../../reference/rotaryBackward.ts'
import { angleTable } from '../../support/angleTable.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf } from '../../support/rows.ts'
import { sequenceRows, uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/**
 * Small heads; sequences of unequal length; a workgroup of pairs and more; the starter's and SmolLM2's heads; rotated in part,
 * by neighbours, both, and not at all.
 */
const cases = [
  { heads: 1, kvHeads: 1, headDim: 4, lengths: [1], theta: 10000, seed: 1410 },
  { heads: 2, kvHeads: 1, headDim: 16, lengths: [2, 5, 1], theta: 10000, seed: 1411 },
  { heads: 4, kvHeads: 2, headDim: 64, lengths: [33, 7], theta: 10000, seed: 1412 },
  { heads: 9, kvHeads: 3, headDim: 64, lengths: [70], theta: 100000, seed: 1413 },
  { heads: 3, kvHeads: 3, headDim: 80, lengths: [3, 3], theta: 1e6, seed: 1414 },
  { heads: 2, kvHeads: 1, headDim: 16, lengths: [9, 2], theta: 1e6, rotaryDim: 0, seed: 1415 },
  { heads: 3, kvHeads: 1, headDim: 16, lengths: [9, 2], theta: 1e6, rotaryDim: 12, seed: 1416 },
  { heads: 2, kvHeads: 2, headDim: 128, lengths: [5], theta: 1e4, isInterleaved: true, seed: 1417 },
  {
    heads: 2,
    kvHeads: 1,
    headDim: 128,
    lengths: [5],
    theta: 1e4,
    rotaryDim: 64,
    isInterleaved: true,
    seed: 1418,
  },
]

describe.each(cases)(
  '$heads/$kvHeads heads of $headDim, sequences of $lengths, seed $seed',
  ({ heads, kvHeads, headDim, lengths, theta, rotaryDim = headDim, isInterleaved = false, seed }) => {
    const rotation = { theta, dim: rotaryDim, isInterleaved }
    const rows = sequenceRows(lengths, 1)
    const capacity = Math.max(...lengths) + 2
    const qWidth = heads * headDim
    const kvWidth = kvHeads * headDim
    const width = qWidth + 2 * kvWidth

    /** Keys (0) or values (1) of the cache as rows. */
    const rowsOf = (cache: Float32Array, half: number): Float32Array =>
      Float32Array.from({ length: rows.length * kvWidth }, (_, index) => {
        const { sequence = 0, position } = rows[Math.floor(index / kvWidth)]!
        const head = Math.floor((index % kvWidth) / headDim)
        return cache[
          (((2 * sequence + half) * kvHeads + head) * capacity + position) * headDim + (index % headDim)
        ]!
      })

    test('turns queries and keys back, lets values pass', async () => {
      const dquery = normals(seed, rows.length * qWidth)
      const dcache = normals(seed + 1, lengths.length * 2 * kvHeads * capacity * headDim)
      const angles = angleTable(rotation, capacity)
      const dqkv = createGuarded(device, [rows.length, width + 3], 'dqkv')
      const tensors = {
        step: uploadStep(device, rows),
        dquery: uploadTensor(device, [rows.length, qWidth], dquery, 'dquery'),
        dcache: uploadTensor(device, [lengths.length, 2, kvHeads, capacity, headDim], dcache, 'dcache'),
        angles: uploadTensor(device, angles.shape, angles.values, 'angles'),
        dqkv,
      }
      const shape = { heads, kvHeads, headDim, capacity, rotation }
      submit(device, [await rotaryBackward(device, shape, tensors)], rows.length)
      const all = await readGuarded(device, dqkv)
      const part = (first: number, columns: number): Float32Array => columnsOf(all, width + 3, first, columns)
      const q = rotaryBackwardReference(rows, dquery, heads, headDim, rotation)
      const k = rotaryBackwardReference(rows, rowsOf(dcache, 0), kvHeads, headDim, rotation)
      expect(nmse(part(0, qWidth), q)).toBeLessThanOrEqual(1e-10)
      expect(nmse(part(qWidth, kvWidth), k)).toBeLessThanOrEqual(1e-10)
      expect(part(qWidth + kvWidth, kvWidth)).toEqual(rowsOf(dcache, 1))
      expectUntouched(part(width, 3))
    })
  },
)
