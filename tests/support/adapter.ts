import { createTensor, uploadTensor } from '../../src/gpu/tensor.ts'
import type { AdapterBinding } from '../../src/kernels/operands/adapterBinding.ts'
import { normals } from './values.ts'

/** The binding of a backbone without an adapter. */
export function noAdapter(device: GPUDevice): AdapterBinding {
  const nothing = createTensor(device, [4], 'no adapter')
  return { paddedRank: 0, a: nothing, aSlotStride: 0, b: nothing, bSlotStride: 0 }
}

export interface AdapterUp {
  readonly adapter: AdapterBinding
  /** B of a part for every slot, [rank, width]. */
  readonly b: readonly (readonly Float32Array[])[]
  /** Where each part lies in a slot, in floats. */
  readonly offsets: readonly number[]
}

/**
 * Random B matrices [rank, width], one a part, in a buffer where they lie apart in reverse order; one slot for every role
 * or, where B is shared, one for all.
 */
export function adapterUp(
  device: GPUDevice,
  {
    rank,
    widths,
    slots,
    isShared,
    seed,
  }: {
    readonly rank: number
    readonly widths: readonly number[]
    readonly slots: number
    readonly isShared: boolean
    readonly seed: number
  },
): AdapterUp {
  let slotSize = 3
  const offsets: number[] = []
  for (const width of widths.toReversed()) {
    offsets.unshift(slotSize)
    slotSize += rank * width + 5
  }
  const stored = isShared ? 1 : slots
  const buffer = new Float32Array(stored * slotSize).fill(1e9)
  const inSlot = Array.from({ length: stored }, (_slot, slot) =>
    widths.map((width, part) => {
      const matrix = normals(seed + 10 * slot + part, rank * width)
      buffer.set(matrix, slot * slotSize + offsets[part]!)
      return matrix
    }),
  )
  return {
    adapter: {
      paddedRank: rank,
      a: createTensor(device, [4], 'a'),
      aSlotStride: 0,
      b: uploadTensor(device, [buffer.length], buffer, 'b'),
      bSlotStride: isShared ? 0 : slotSize,
    },
    b: widths.map((_width, part) =>
      Array.from({ length: slots }, (_slot, slot) => inSlot[isShared ? 0 : slot]![part]!),
    ),
    offsets,
  }
}
