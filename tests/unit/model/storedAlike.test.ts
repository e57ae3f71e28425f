import { describe, expect, test } from 'vitest'

import type { Decoder, WeightMatrix } from '../../../src/model/decoder/decoder.ts'
import { readMatrix } from '../../../src/model/decoder/dequantise.ts'
import { storedAlike, storedFormat } from '../../../src/model/gpu/storedAlike.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'
import type { TinyOptions } from '../../support/tinyGraph.ts'

const decoder = (options: TinyOptions): Promise<Decoder> =>
  recogniseBytes(writeOnnx(tinyDecoder({ qkv: 'separate', ...options })), TINY_CONFIG)
const keys = async (options: TinyOptions): Promise<WeightMatrix> =>
  (await decoder(options)).blocks[1]!.linears.k.weight

async function expectExact(before: readonly WeightMatrix[], after: readonly WeightMatrix[]): Promise<void> {
  for (const [index, matrix] of after.entries()) {
    expect(await readMatrix(matrix)).toEqual(await readMatrix(before[index]!))
  }
}

describe('matrices side by side', () => {
  test('that are stored alike stay as they are', async () => {
    const [one, two] = [await keys({ linear: 'blocks4', zeros: 'packed' }), await keys({ linear: 'blocks4' })]
    const matrices = [one, two]
    expect(await storedAlike(matrices)).toBe(matrices)
  })

  test('of 4 and 8 bits become bytes, exactly', async () => {
    const matrices = [
      await keys({ linear: 'blocks4', zeros: 'packed' }),
      await keys({ linear: 'blocks8', zeros: 'packed' }),
      await keys({ linear: 'blocks4' }),
    ]
    const alike = await storedAlike(matrices)
    expect(alike.map(storedFormat)).toEqual(Array.from(alike, () => '8-bit blocks of 16'))
    await expectExact(matrices, alike)
  })

  test('of blocks of two sizes become blocks of the smaller, exactly', async () => {
    const small = await keys({ linear: 'blocks8' })
    const wide = await keys({ linear: 'blocks8' })
    if (wide.stored.kind !== 'blocks') throw new Error('expected blocks')
    const scales = { ...wide.stored.scales, shape: [wide.out, 1], sizeBytes: wide.out * 4 }
    const matrices = [small, { ...wide, stored: { ...wide.stored, blockSize: 32, scales } }]
    const alike = await storedAlike(matrices)
    expect(alike.map(storedFormat)).toEqual(['8-bit blocks of 16', '8-bit blocks of 16'])
    await expectExact(matrices, alike)
  })

  test('with zero points that are no integers become floats, exactly', async () => {
    const matrices = [await keys({ linear: 'blocks8', zeros: 'floats' })]
    const alike = await storedAlike(matrices)
    expect(alike.map(storedFormat)).toEqual(['f32'])
    await expectExact(matrices, alike)
  })

  test('of floats and blocks become floats, exactly', async () => {
    const matrices = [
      await keys({ linear: 'matMul' }),
      await keys({ linear: 'blocks4' }),
      await keys({ linear: 'gemm' }),
    ]
    const alike = await storedAlike(matrices)
    expect(alike.map(storedFormat)).toEqual(['f32', 'f32', 'f32'])
    await expectExact(matrices, alike)
  })
})
