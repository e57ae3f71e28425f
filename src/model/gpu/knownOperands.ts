import { Random } from '../../core/random.ts'
import type { Dispatch } from '../../gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../gpu/tensor.ts'
import type { Tensor } from '../../gpu/tensor.ts'
import type { TunedDevice } from '../../gpu/tuning.ts'
import type { AdapterBinding } from '../../kernels/operands/adapterBinding.ts'
import type { PackedMatrix } from '../../kernels/operands/packedMatrix.ts'
import { packRows } from '../../kernels/operands/stepRows.ts'
import type { StepRow } from '../../kernels/operands/stepRows.ts'

const BLOCK = 32
const BITS = 4
/** 1/8 and 1/4 as halves: the scale of every other block. */
const SCALES = [0x3000, 0x3400]
export const RANK = 4

/** What the cases of `knownAnswers` compute with, by seed; all of it goes when they are through. */
export class KnownOperands {
  readonly device: GPUDevice
  private readonly made: Tensor[] = []

  constructor(device: GPUDevice) {
    this.device = device
  }

  normals(seed: number, count: number): Float32Array<ArrayBuffer> {
    const random = new Random(seed)
    return Float32Array.from({ length: count }, () => random.nextNormal())
  }

  upload(shape: readonly number[], data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Tensor {
    return this.keep(uploadTensor(this.device, shape, data, 'known operand'))
  }

  output(...shape: readonly number[]): Tensor {
    return this.keep(createTensor(this.device, shape, 'known answer'))
  }

  step(rows: readonly StepRow[]): Tensor {
    const words = new Uint32Array(packRows(rows))
    return this.upload([words.length], words)
  }

  /** Random 4-bit codes in blocks of 32 with scales as halves and zero points, and what they stand for, [out, in]. */
  matrix(out: number, width: number, seed: number): { matrix: PackedMatrix; values: Float64Array } {
    const random = new Random(seed)
    const rowBlocks = width / BLOCK
    const rowWords = (width * BITS) / 32
    const codes = Uint32Array.from({ length: out * rowWords }, () => random.nextU32())
    const zeros = Uint8Array.from(
      { length: 4 * Math.ceil((out * rowBlocks) / 4) },
      () => 6 + random.nextBelow(5),
    )
    const scales = Uint16Array.from(
      { length: 2 * Math.ceil((out * rowBlocks) / 2) },
      (_, i) => SCALES[i % 2] ?? 0,
    )
    const values = Float64Array.from({ length: out * width }, (_, i) => {
      const code = ((codes[Math.floor(i / 8)] ?? 0) >>> (BITS * (i % 8))) & 15
      const block = Math.floor(i / BLOCK)
      return (code - (zeros[block] ?? 0)) * (block % 2 === 0 ? 1 / 8 : 1 / 4)
    })
    const words = (bytes: ArrayBuffer): Tensor => this.upload([bytes.byteLength / 4], new Uint32Array(bytes))
    const matrix: PackedMatrix = {
      format: 'q4',
      out,
      in: width,
      weights: this.upload([out, rowWords], codes),
      rowWords,
      scales: words(scales.buffer),
      zeros: words(zeros.buffer),
      halfScales: true,
      zeroForm: 'bytes',
      blockSize: BLOCK,
      rowBlocks,
    }
    return { matrix, values }
  }

  /** An adapter of rank 4 with one slot. */
  adapter(a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>): AdapterBinding {
    return {
      paddedRank: RANK,
      a: this.upload([a.length], a),
      aSlotStride: a.length,
      b: this.upload([b.length], b),
      bSlotStride: b.length,
    }
  }

  destroy(): void {
    for (const { buffer } of this.made) buffer.destroy()
  }

  private keep(tensor: Tensor): Tensor {
    this.made.push(tensor)
    return tensor
  }
}

/** What kernels are given, and what they must give. */
export interface KnownCase {
  readonly name: string
  readonly dispatches: readonly Dispatch[]
  readonly rows: number
  readonly output: Tensor
  /** The first numbers of the output; whole ones are read as words. */
  readonly answer: ArrayLike<number>
  readonly isOfWords?: boolean
}

export type MakeCase = (gpu: TunedDevice, make: KnownOperands) => Promise<KnownCase>

export const SCALE = 0.5
/** The rows of one sequence, of which each plays the role of slot 0. */
export function rowsOf(count: number, first = 0): { position: number; slot: number; scale: number }[] {
  return Array.from({ length: count }, (_, row) => ({ position: first + row, slot: 0, scale: SCALE }))
}

/** `y[r, n] = Σ_k x[r, k]·W[n, k]`, as [rows, out]. */
export function product(
  x: ArrayLike<number>,
  weights: ArrayLike<number>,
  rows: number,
  width: number,
): number[] {
  const out = weights.length / width
  return Array.from({ length: rows * out }, (_, index) => {
    const [r, n] = [Math.floor(index / out), index % out]
    return sum(width, (k) => at(x, r * width + k) * at(weights, n * width + k))
  })
}

/** A matrix [rows, columns] turned. */
export function turned(values: ArrayLike<number>, columns: number): number[] {
  const rows = values.length / columns
  return Array.from({ length: values.length }, (_, i) =>
    at(values, (i % rows) * columns + Math.floor(i / rows)),
  )
}

export function sum(count: number, of: (index: number) => number): number {
  let total = 0
  for (let index = 0; index < count; index++) total += of(index)
  return total
}

/** An element that is there. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN
}
