import code from '../../shaders/lora_backward_a.wgsl?raw'
import directCode from '../../shaders/lora_backward_a_direct.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { checkRank, rankPairs } from './operands/adaptedGroup.ts'
import { DROPOUT_WORDS } from './operands/dropout.ts'
import type { DroppedLayer } from './loraDown.ts'
import type { ProjectedParts } from './operands/adapterBinding.ts'
import { expectColumns, expectLength } from './operands/shapes.ts'

const uniforms = {
  in_features: 'u32',
  out: 'u32',
  rank: 'u32',
  x_stride: 'u32',
  dy_stride: 'u32',
  a_offset: 'u32',
  a_part_stride: 'u32',
  a_slot_stride: 'u32',
  salt: 'u32',
} as const
const bindings = ['step', 'x', 'dy', 'dropout', 'da'] as const

export const loraBackwardAKernel = defineKernel({ name: 'lora_backward_a', code, uniforms, bindings })

export const loraBackwardADirectKernel = defineKernel({
  name: 'lora_backward_a_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** Rows of A that a workgroup takes. */
const ROWS_OF_A = { tile: 32, direct: 128 } as const

/**
 * Adds the gradient of A, `dA[s, part][k, j] += Σ_r drop[r, k]·x[r, k]·du[r, part, j]` over the rows of slot s, or over
 * all rows where A is shared (slot stride 0). Otherwise the rows of a slot must be neighbours, slots ascending. The order of the sums is fixed.
 *
 * Reference: HyCoRA, eq. 7.
 *
 * @param tensors `step`; `x` [rows, ≥ in]; `dy` [rows, ≥ out + parts·rank], of which the du are read; `dropout` as
 *   `packDropout` gives it; adds to `da`, laid out as the adapter's A.
 * @param options `slots`: slots 0 to slots − 1 get gradients; one is enough where A is shared.
 * @throws HycoraError `shape-mismatch` when a tensor is too narrow.
 */
export async function loraBackwardA(
  { device, tuning }: TunedDevice,
  { adapter, count, aOffset, aPartStride }: ProjectedParts,
  tensors: {
    readonly step: Tensor
    readonly x: Tensor
    readonly dy: Tensor
    readonly dropout: Tensor
    readonly da: Tensor
  },
  { inFeatures, out, salt, slots }: DroppedLayer & { readonly slots: number },
): Promise<Dispatch> {
  const { paddedRank, aSlotStride } = adapter
  checkRank(paddedRank)
  expectLength('dropout', tensors.dropout, DROPOUT_WORDS)
  const isDirect = tuning.manyRows === 'direct'
  const grid = [
    Math.ceil(inFeatures / ROWS_OF_A[tuning.manyRows]),
    isDirect ? count * rankPairs(paddedRank) : (count * paddedRank) / 4,
    aSlotStride === 0 ? 1 : slots,
  ] as const
  return bindKernel(
    device,
    isDirect ? loraBackwardADirectKernel : loraBackwardAKernel,
    tensors,
    {
      in_features: inFeatures,
      out,
      rank: paddedRank,
      x_stride: expectColumns('x', tensors.x, inFeatures),
      dy_stride: expectColumns('dy', tensors.dy, out + count * paddedRank),
      a_offset: aOffset,
      a_part_stride: aPartStride,
      a_slot_stride: aSlotStride,
      salt,
    },
    { workgroups: () => grid },
  )
}
