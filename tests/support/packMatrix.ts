import { floatToHalf, halfToFloat } from '../../src/core/half.ts'
import { Random } from '../../src/core/random.ts'
import { uploadTensor } from '../../src/gpu/tensor.ts'
import type { PackedMatrix } from '../../src/kernels/operands/packedMatrix.ts'

export interface PackOptions {
  readonly format: PackedMatrix['format']
  /** Weights a block along a row; block formats only. */
  readonly blockSize?: number
  readonly halfScales?: boolean
  readonly zeroForm?: PackedMatrix['zeroForm']
}

/** Levels that 4-bit codes stand for in tests, in no order and not evenly spread. */
const LEVELS = [
  -1, 0.72, -0.53, 0, 0.08, 1, -0.69, 0.16, -0.28, 0.25, 0.44, -0.09, 0.34, -0.18, -0.39, 0.56,
].map(Math.fround)

export interface PackedForTest {
  readonly matrix: PackedMatrix
  /** What the packed bits stand for, [out, in]: the reference's input. */
  readonly values: Float64Array
}

/**
 * Packs a float matrix [out, in] as PackedMatrix describes it: rows padded to 16 bytes, 4-bit codes low nibble first, one
 * zero point (a byte, or a float between two codes) and one scale (f32, or half of a word) a block, or the level nearest to
 * each weight. Every third block has a negative scale, and codes past the end of a row within its last block are noise,
 * since files may hold anything there.
 */
export function packMatrix(
  device: GPUDevice,
  weights: Float32Array,
  out: number,
  inFeatures: number,
  { format, blockSize = 0, halfScales = true, zeroForm = 'bytes' }: PackOptions,
): PackedForTest {
  const isBlocked = format === 'q4' || format === 'q8'
  const rowBlocks = isBlocked ? Math.ceil(inFeatures / blockSize) : 0
  const bits = { f32: 32, f16: 16, bf16: 16, q4: 4, q8: 8 }[format]
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
        const span = zeroForm === 'levels' ? Math.max(high, -low, 1e-3) : Math.max(high - low, 1e-3) / highest
        const exact = sign * span
        const scale = halfScales ? halfToFloat(floatToHalf(exact)) : Math.fround(exact)
        const middle = Math.round((sign > 0 ? -low : high) / Math.abs(exact))
        const zero = zeroForm === 'levels' ? 0 : zeroForm === 'floats' ? middle + 0.375 : middle
        scaleBits.push(halfScales ? floatToHalf(exact) : floatBits(exact))
        zeroPoints.push(zero)
        for (let column = start; column < start + blockSize; column++) {
          if (column >= inFeatures) {
            put(row, column, random.nextBelow(highest + 1))
            continue
          }
          const relative = weights[row * inFeatures + column]! / scale
          const code =
            zeroForm === 'levels'
              ? nearestLevel(relative)
              : Math.min(highest, Math.max(0, Math.round(relative + zero)))
          put(row, column, code)
          values[row * inFeatures + column] = ((zeroForm === 'levels' ? LEVELS[code]! : code) - zero) * scale
        }
      }
    }
  } else {
    for (let row = 0; row < out; row++) {
      for (let column = 0; column < inFeatures; column++) {
        const value = weights[row * inFeatures + column]!
        const [code, exact] = floatCode(value, format)
        put(row, column, code)
        values[row * inFeatures + column] = exact
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
      zeros: upload('zeros', zeroWords(zeroForm, zeroPoints)),
      halfScales,
      zeroForm,
      blockSize,
      rowBlocks,
    },
    values,
  }
}

function nearestLevel(value: number): number {
  const distances = LEVELS.map((level) => Math.abs(level - value))
  return distances.indexOf(Math.min(...distances))
}

function zeroWords(form: PackedMatrix['zeroForm'], zeroPoints: readonly number[]): Uint32Array<ArrayBuffer> {
  if (form === 'bytes') return packWords(zeroPoints, 8)
  return packWords((form === 'levels' ? LEVELS : zeroPoints).map(floatBits), 32)
}

/** The bits that hold a float in a format, and what they stand for. */
function floatCode(value: number, format: PackedMatrix['format']): readonly [number, number] {
  const bits = floatBits(value)
  if (format === 'f16') return [floatToHalf(value), halfToFloat(floatToHalf(value))]
  if (format === 'bf16') return [bits >>> 16, bitsFloat(bits & 0xffff0000)]
  return [bits, value]
}

function bitsFloat(bits: number): number {
  return new Float32Array(Uint32Array.of(bits).buffer)[0]!
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
