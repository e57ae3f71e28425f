import { expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { readBuffer, uploadTensor } from '../../../src/gpu/tensor.ts'
import { transpose } from '../../../src/kernels/transpose.ts'
import { testDevice } from '../../support/device.ts'

const device = await testDevice()

const cases = [
  { inFeatures: 1, xColumns: 1, firstColumn: 0, out: 1, firstOut: 0, isHalf: false, seed: 1000 },
  { inFeatures: 5, xColumns: 7, firstColumn: 2, out: 3, firstOut: 1, isHalf: false, seed: 1001 },
  { inFeatures: 5, xColumns: 7, firstColumn: 3, out: 3, firstOut: 2, isHalf: true, seed: 1002 },
  { inFeatures: 64, xColumns: 33, firstColumn: 0, out: 33, firstOut: 0, isHalf: true, seed: 1003 },
  { inFeatures: 257, xColumns: 130, firstColumn: 65, out: 65, firstOut: 65, isHalf: false, seed: 1004 },
  { inFeatures: 3, xColumns: 32771, firstColumn: 1, out: 32770, firstOut: 0, isHalf: true, seed: 1005 },
]

test.each(cases)(
  '[$inFeatures, $xColumns] from column $firstColumn to $out rows from $firstOut, half $isHalf, seed $seed',
  async ({ seed, ...shape }) => {
    const { inFeatures, xColumns, firstColumn, out, firstOut, isHalf } = shape
    const random = new Random(seed)
    const limit = isHalf ? 0x10000 : 2 ** 32
    const values = Array.from({ length: inFeatures * xColumns }, () => random.nextBelow(limit))
    const perWord = isHalf ? 2 : 1
    const words = new Uint32Array(Math.ceil(values.length / perWord))
    const rowWords = Math.ceil(inFeatures / perWord / 4) * 4
    const expected = new Uint32Array((firstOut + out + 1) * rowWords).fill(0xdeadbeef)
    expected.fill(0, firstOut * rowWords, (firstOut + out) * rowWords)
    const put = (array: Uint32Array, index: number, value: number) => {
      array[Math.floor(index / perWord)]! |= isHalf ? value << (16 * (index % 2)) : value
    }
    values.forEach((value, index) => put(words, index, value))
    for (let n = 0; n < out; n++) {
      for (let k = 0; k < inFeatures; k++) {
        put(expected, (firstOut + n) * rowWords * perWord + k, values[k * xColumns + firstColumn + n]!)
      }
    }
    const y = uploadTensor(
      device,
      [firstOut + out + 1, rowWords],
      new Uint32Array(expected.length).fill(0xdeadbeef),
      'y',
    )
    const tensors = { x: uploadTensor(device, [words.length], words, 'x'), y }
    submit(device, [await transpose(device, tensors, { ...shape, rowWords })], 1)
    expect(new Uint32Array(await readBuffer(device, y.buffer, 0, expected.byteLength))).toEqual(expected)
  },
)
