import { floatToHalf, halfToFloat } from '../../src/core/half.ts'
import { Random } from '../../src/core/random.ts'
import { uploadTensor } from '../../src/gpu/tensor.ts'
import type { PackedMatrix } from '../../src/kernels/operands/packedMatrix.ts'

export interface PackOptions {
  readonly format: PackedMatrix['format']
  /** Weights a block along a row; block formats only. */
  readonly blockSize?: number
  readonly halfScales?: boolean
}

export interface PackedForTest {
  readonly matrix: PackedMatrix
  /** What the packed bits stand for, [out, in]: the reference's input. */
  readonly values: Float64Array
}

/**
 * Packs a float matrix [out, in] as PackedMatrix describes it: rows padded to 16 bytes, 4-bit codes low nibble first, one
 * zero point (a byte) and one scale (f32, or half of a word) a block. Every third block has a negative scale, and codes
 * past the end of a row within its last block are noise, since files may hold anything there.
 */
export function packMatrix(
  device: GPUDevice,
  weights: Float32Array,
  out: number,
  inFeatures: number,
  { format, blockSize = 0, halfScales = true }: PackOptions,
): PackedForTest {
  const isBlocked = format === 'q4' || format === 'q8'
  const rowBlocks = isBlocked ? Math.ceil(inFeatures / blockSize) : 0
  const bits = { f32: 32, f16: 16, q4: 4, q8: 8 }[format]
  const stored = isBlocked ? rowBlocks * blockSize : inFeatures
  const rowWords = Math.ceil((stored * bits) / 128) * 4
  const words = new Uint32Array(out * rowWords)
  const values = new Float64Array(out * inFeatures)
  const put = (row: number, column: number, code: number): void => {
    const perWord = 32 / bits
    words[row * rowWords + Math.floor(column / perWord)]! |= code << (bits * (column % perWord))
  }
  const scaleBits: number[] = []
  const zeroPoints: number[] = []
  if (isBlocked) {
    const random = new Random(out * 7919 + inFeatures)
    const highest = 2 ** bits - 1
    for (let row = 0; row < out; row++) {
      for (let block = 0; block < rowBlocks; block++) {
        const start = block * blockSize
        const end = Math.min(start + blockSize, inFeatures)
        const inBlock = weights.subarray(row * inFeatures + start, row * inFeatures + end)
        const low = Math.min(0, ...inBlock)
        const high = Math.max(0, ...inBlock)
        const sign = (row + block) % 3 === 0 ? -1 : 1
        const exact = (sign * Math.max(high - low, 1e-3)) / highest
        const scale = halfScales ? halfToFloat(floatToHalf(exact)) : Math.fround(exact)
        const zero = Math.round((sign > 0 ? -low : high) / Math.abs(exact))
        scaleBits.push(halfScales ? floatToHalf(exact) : floatBits(exact))
        zeroPoints.push(zero)
        for (let column = start; column < start + blockSize; column++) {
          if (column >= inFeatures) {
            put(row, column, random.nextBelow(highest + 1))
            continue
          }
          const wanted = Math.round(weights[row * inFeatures + column]! / scale) + zero
          const code = Math.min(highest, Math.max(0, wanted))
          put(row, column, code)
          values[row * inFeatures + column] = (code - zero) * scale
        }
      }
    }
  } else {
    for (let row = 0; row < out; row++) {
      for (let column = 0; column < inFeatures; column++) {
        const value = weights[row * inFeatures + column]!
        const half = floatToHalf(value)
        put(row, column, format === 'f16' ? half : floatBits(value))
        values[row * inFeatures + column] = format === 'f16' ? halfToFloat(half) : value
      }
    }
  }
  const upload = (label: string, data: Uint32Array<ArrayBuffer>) =>
    uploadTensor(device, [data.length], data, label)
  return {
    matrix: {
      format,
      out,
      in: inFeatures,
      weights: uploadTensor(device, [out, rowWords], words, 'weights'),
      rowWords,
      scales: upload('scales', packWords(scaleBits, isBlocked && halfScales ? 16 : 32)),
      zeros: upload('zeros', packWords(zeroPoints, 8)),
      halfScales,
      blockSize,
      rowBlocks,
    },
    values,
  }
}

function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!
}

/** Codes of `bits` bits side by side in 32-bit words, the first lowest; at least one word. */
function packWords(codes: readonly number[], bits: number): Uint32Array<ArrayBuffer> {
  const perWord = 32 / bits
  const words = new Uint32Array(Math.max(1, Math.ceil(codes.length / perWord)))
  codes.forEach((code, index) => {
    words[Math.floor(index / perWord)]! |= code << (bits * (index % perWord))
  })
  return words
}
