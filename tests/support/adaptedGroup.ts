import { uploadTensor } from '../../src/gpu/tensor.ts'
import type { AdaptedGroup } from '../../src/kernels/operands/adaptedGroup.ts'
import { normals } from './values.ts'

export interface GroupOptions {
  readonly in: number
  readonly widths: readonly number[]
  readonly rank: number
  readonly slots: number
  readonly sharesA: boolean
  readonly sharesB: boolean
  readonly seed: number
}

export interface GroupForTest {
  readonly group: AdaptedGroup
  /** The matrices of a part for every slot: A [in, rank], B [rank, width]. */
  readonly a: readonly (readonly Float32Array[])[]
  readonly b: readonly (readonly Float32Array[])[]
  /** Floats of the two buffers, and where in them the matrix of a part and slot begins. */
  readonly aSize: number
  readonly bSize: number
  readonly aAt: (part: number, slot: number) => number
  readonly bAt: (part: number, slot: number) => number
}

/** Random A and B of a group's parts, each in a buffer where they lie apart in reverse order; one slot where they are shared. */
export function adaptedGroup(
  device: GPUDevice,
  { in: inFeatures, widths, rank, slots, sharesA, sharesB, seed }: GroupOptions,
): GroupForTest {
  const count = widths.length
  const partStride = inFeatures * rank + 8
  const aOffset = 4 + (count - 1) * partStride
  const aSlotStride = sharesA ? 0 : count * partStride + 4
  const aSize = (sharesA ? 1 : slots) * (count * partStride + 4)
  let bSlotSize = 3
  const bOffsets: number[] = []
  for (const width of widths.toReversed()) {
    bOffsets.unshift(bSlotSize)
    bSlotSize += rank * width + 5
  }
  const bSlotStride = sharesB ? 0 : bSlotSize
  const bSize = (sharesB ? 1 : slots) * bSlotSize
  const aAt = (part: number, slot: number): number => slot * aSlotStride + aOffset - part * partStride
  const bAt = (part: number, slot: number): number => slot * bSlotStride + bOffsets[part]!

  const random = (first: number, isShared: boolean, lengths: readonly number[]): Float32Array[][] =>
    lengths.map((length, part) =>
      Array.from({ length: slots }, (_, slot) => normals(first + 10 * (isShared ? 0 : slot) + part, length)),
    )
  const a = random(
    seed,
    sharesA,
    widths.map(() => inFeatures * rank),
  )
  const b = random(
    seed + 5,
    sharesB,
    widths.map((width) => rank * width),
  )
  const place = (
    size: number,
    matrices: readonly Float32Array[][],
    at: typeof aAt,
  ): Float32Array<ArrayBuffer> => {
    const buffer = new Float32Array(size).fill(1e9)
    matrices.forEach((inPart, part) => inPart.forEach((matrix, slot) => buffer.set(matrix, at(part, slot))))
    return buffer
  }
  const adapter = {
    paddedRank: rank,
    a: uploadTensor(device, [aSize], place(aSize, a, aAt), 'a'),
    aSlotStride,
    b: uploadTensor(device, [bSize], place(bSize, b, bAt), 'b'),
    bSlotStride,
  }
  return {
    group: { adapter, count, aOffset, aPartStride: -partStride, widths, bOffsets },
    a,
    b,
    aSize,
    bSize,
    aAt,
    bAt,
  }
}
