import { expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { readBuffer, uploadTensor } from '../../../src/gpu/tensor.ts'
import { transpose } from '../../../src/kernels/transpose.ts'
import { testDevice } from '../../support/device.ts'

const device = await testDevice()

const whole = { fromBits: 32, toBits: 32, firstWord: 0, firstColumn: 0, firstOut: 0 }
const cases = [
  { ...whole, lines: 1, xColumns: 1, out: 1, seed: 1000 },
  { ...whole, lines: 5, xColumns: 7, firstColumn: 2, out: 3, firstOut: 1, seed: 1001 },
  {
    ...whole,
    lines: 5,
    xColumns: 7,
    firstColumn: 3,
    out: 3,
    firstOut: 2,
    fromBits: 16,
    toBits: 16,
    seed: 1002,
  },
  { ...whole, lines: 64, xColumns: 33, out: 33, fromBits: 16, toBits: 16, seed: 1003 },
  { ...whole, lines: 257, xColumns: 130, firstColumn: 65, out: 65, firstOut: 65, seed: 1004 },
  { ...whole, lines: 3, xColumns: 32771, firstColumn: 1, out: 32770, fromBits: 16, toBits: 16, seed: 1005 },
  { ...whole, lines: 37, xColumns: 9, out: 9, firstWord: 4, fromBits: 8, toBits: 8, seed: 1006 },
  {
    ...whole,
    lines: 65,
    xColumns: 7,
    firstColumn: 1,
    out: 5,
    firstOut: 3,
    fromBits: 4,
    toBits: 4,
    seed: 1007,
  },
  { ...whole, lines: 33, xColumns: 5, out: 5, firstWord: 8, fromBits: 4, toBits: 8, seed: 1008 },
  { ...whole, lines: 40, xColumns: 3, firstColumn: 1, out: 2, fromBits: 2, toBits: 4, seed: 1009 },
]

/** Elements of `bits` bits as words, the first lowest. */
function packed(elements: readonly number[], bits: number): Uint32Array<ArrayBuffer> {
  const each = 32 / bits
  const words = new Uint32Array(Math.ceil(elements.length / each))
  elements.forEach((element, i) => {
    words[Math.floor(i / each)]! |= element << (bits * (i % each))
  })
  return words
}

test.each(cases)(
  '$lines lines of $xColumns × $fromBits bits from column $firstColumn to $out rows from $firstOut of $toBits bits, seed $seed',
  async ({ seed, ...shape }) => {
    const { lines, xColumns, firstColumn, out, firstOut, fromBits, toBits, firstWord } = shape
    const random = new Random(seed)
    const values = Array.from({ length: lines * xColumns }, () => random.nextBelow(2 ** fromBits))
    const words = packed(values, fromBits)
    const written = Math.ceil((lines * toBits) / 128) * 4
    // A word in front of what is written and one behind it stay as they are.
    const rowWords = firstWord + written + 1
    const expected = new Uint32Array((firstOut + out + 1) * rowWords).fill(0xdeadbeef)
    for (let n = 0; n < out; n++) {
      const row = Array.from({ length: lines }, (_, k) => values[k * xColumns + firstColumn + n]!)
      const start = (firstOut + n) * rowWords + firstWord
      expected.fill(0, start, start + written)
      expected.set(packed(row, toBits), start)
    }
    const y = uploadTensor(
      device,
      [firstOut + out + 1, rowWords],
      new Uint32Array(expected.length).fill(0xdeadbeef),
      'y',
    )
    const tensors = { x: uploadTensor(device, [words.length], words, 'x'), y }
    submit(device, [await transpose(device, tensors, { ...shape, rowWords, words: written })], 1)
    expect(new Uint32Array(await readBuffer(device, y.buffer, 0, expected.byteLength))).toEqual(expected)
  },
)
