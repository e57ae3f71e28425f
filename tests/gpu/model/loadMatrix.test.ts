import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { embedding } from '../../../src/kernels/embedding.ts'
import type { PackedMatrix } from '../../../src/kernels/operands/packedMatrix.ts'
import { readMatrix } from '../../../src/model/decoder/dequantise.ts'
import { loadMatrix } from '../../../src/model/gpu/loadMatrix.ts'
import { expectSameBits } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { storedBlocks, storedFloats } from '../../support/storedMatrix.ts'
import type { BlockOptions, StoredForTest } from '../../support/storedMatrix.ts'

const device = await testDevice()

const LEVELS = Array.from({ length: 16 }, (_, i) => Math.fround(Math.sin(i)))
const ODD = { out: 37, in: 75, seed: 2100 }

/** All of a packed matrix as its kernels unpack it, [out, in]. */
async function unpacked(matrix: PackedMatrix): Promise<Float32Array> {
  const ids = Uint32Array.from({ length: matrix.out }, (_, n) => n)
  const y = createTensor(device, [matrix.out, matrix.in], 'y')
  const tokens = uploadTensor(device, [matrix.out], ids, 'tokens')
  submit(device, [await embedding(device, matrix, { tokens, y })], matrix.out)
  return readTensor(device, y)
}

async function load(...stored: readonly StoredForTest[]): Promise<{ format: string; values: Float32Array }> {
  let told = 0
  const matrices = stored.map(({ matrix }) => matrix)
  const packed = await loadMatrix(device, matrices, 'test', (bytes) => (told += bytes))
  expect(Number.isInteger(told) && told > 0).toBe(true)
  const { format, blockSize } = packed
  return { format: blockSize > 0 ? `${format} of ${blockSize}` : format, values: await unpacked(packed) }
}

const all = (stored: readonly StoredForTest[]): Float32Array =>
  Float32Array.from(stored.flatMap(({ values }) => [...values]))

describe('a matrix of its own', () => {
  const kinds: readonly (readonly [BlockOptions, string])[] = [
    [{ bits: 4, blockSize: 16, order: 'padded', zeros: 'codes' }, 'q4 of 16'],
    [{ bits: 4, blockSize: 32, order: 'padded', scales: 'f16' }, 'q4 of 32'],
    [{ bits: 8, blockSize: 64, order: 'padded', zeros: 'codes' }, 'q8 of 64'],
    [{ bits: 8, blockSize: 16, order: 'padded', zeros: 'floats', scales: 'f16' }, 'q8 of 16'],
    [{ bits: 4, blockSize: 128, order: 'padded', zeros: 'floats' }, 'q4 of 96'],
    [{ bits: 2, blockSize: 32, order: 'padded', zeros: 'codes' }, 'q4 of 32'],
    [{ bits: 2, blockSize: 16, order: 'padded' }, 'q4 of 16'],
    [{ bits: 4, blockSize: 32, order: 'rows', zeros: 'codes' }, 'q4 of 32'],
    [{ bits: 4, blockSize: 16, order: 'rows', levels: LEVELS }, 'q4 of 16'],
    [{ bits: 8, blockSize: 75, order: 'rows', zeros: 'codes' }, 'q8 of 96'],
    [{ bits: 8, blockSize: 75, order: 'columns', zeros: 'codes', scales: 'f16' }, 'q8 of 96'],
    [{ bits: 4, blockSize: 32, order: 'columns', zeros: 'codes' }, 'q4 of 32'],
    [{ bits: 2, blockSize: 16, order: 'columns', zeros: 'floats' }, 'q4 of 16'],
    [{ bits: 8, blockSize: 48, order: 'columns', zeros: 'codes' }, 'q8 of 16'],
    [{ bits: 8, blockSize: 8, order: 'columns' }, 'f32'],
  ]
  test.each(kinds)('%o becomes %s, exactly', async (options, format) => {
    const stored = storedBlocks(ODD, options)
    expectSameBits(await readMatrix(stored.matrix), stored.values)
    const loaded = await load(stored)
    expect(loaded.format).toBe(format)
    expectSameBits(loaded.values, stored.values)
  })

  test.each(['f32', 'f16', 'bf16'] as const)('of %s stays so, by rows and by columns', async (type) => {
    for (const layout of ['out-in', 'in-out'] as const) {
      const stored = storedFloats(ODD, type, layout)
      expectSameBits(await readMatrix(stored.matrix), stored.values)
      expect(await load(stored)).toEqual({ format: type, values: stored.values })
    }
  })

  test('in more than one piece arrives whole', async () => {
    const wide = { out: 301, in: 4100, seed: 2110 }
    for (const layout of ['out-in', 'in-out'] as const) {
      const stored = storedFloats(wide, 'f32', layout)
      expectSameBits((await load(stored)).values, stored.values)
    }
    const codes = storedBlocks({ ...wide, out: 1100 }, { bits: 8, blockSize: 64, order: 'columns' })
    expectSameBits((await load(codes)).values, codes.values)
  })

  test('cut out of a fused one is read where it lies', async () => {
    for (const order of ['padded', 'rows', 'columns'] as const) {
      const fused = storedBlocks(ODD, { bits: 4, blockSize: 32, order, zeros: 'codes' })
      const part = (firstOut: number, out: number): StoredForTest => ({
        matrix: { ...fused.matrix, firstOut, out },
        values: fused.values.subarray(firstOut * ODD.in, (firstOut + out) * ODD.in),
      })
      const parts = [part(3, 4), part(7, 10), part(1, 2), part(30, 7)]
      for (const one of parts) expectSameBits(await readMatrix(one.matrix), one.values)
      expectSameBits((await load(...parts)).values, all(parts))
    }
  })
})

describe('matrices side by side', () => {
  const side = (seed: number, options: BlockOptions): StoredForTest =>
    storedBlocks({ ...ODD, out: 11 + (seed % 5), seed }, options)

  test.each([
    [
      'of 4 and 8 bits',
      [
        side(2120, { bits: 4, blockSize: 32, order: 'padded', zeros: 'codes' }),
        side(2121, { bits: 8, blockSize: 32, order: 'padded' }),
      ],
      'q8 of 32',
    ],
    [
      'of blocks of several sizes, and of a row',
      [
        side(2122, { bits: 8, blockSize: 16, order: 'padded', scales: 'f16' }),
        side(2123, { bits: 4, blockSize: 64, order: 'columns', zeros: 'codes' }),
        side(2124, { bits: 8, blockSize: 75, order: 'columns' }),
      ],
      'q8 of 16',
    ],
    [
      'with zero points that are no codes, and with none',
      [
        side(2125, { bits: 4, blockSize: 32, order: 'padded', zeros: 'floats' }),
        side(2126, { bits: 4, blockSize: 32, order: 'padded' }),
      ],
      'q4 of 32',
    ],
    [
      'of codes and of levels',
      [
        side(2127, { bits: 4, blockSize: 32, order: 'rows', levels: LEVELS }),
        side(2128, { bits: 4, blockSize: 32, order: 'padded' }),
      ],
      'f32',
    ],
    [
      'of blocks and floats',
      [
        side(2129, { bits: 4, blockSize: 32, order: 'columns' }),
        storedFloats({ ...ODD, seed: 2130 }, 'f16', 'in-out'),
      ],
      'f32',
    ],
    [
      'of two kinds of floats',
      [
        storedFloats({ ...ODD, seed: 2131 }, 'f16', 'out-in'),
        storedFloats({ ...ODD, seed: 2132 }, 'bf16', 'in-out'),
      ],
      'f32',
    ],
  ] as const)('%s become one, exactly', async (_, stored, format) => {
    const loaded = await load(...stored)
    expect(loaded.format).toBe(format)
    expectSameBits(loaded.values, all(stored))
  })
})
