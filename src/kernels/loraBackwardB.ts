import code from '../../shaders/lora_backward_b.wgsl?raw'
import directCode from '../../shaders/lora_backward_b_direct.wgsl?raw'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { groupColumns, groupUniforms, rankPairs } from './operands/adaptedGroup.ts'
import type { AdaptedGroup } from './operands/adaptedGroup.ts'
import { expectColumns } from './operands/shapes.ts'

const uniforms = {
  rank: 'u32',
  y_stride: 'u32',
  dy_stride: 'u32',
  b_slot_stride: 'u32',
  width_0: 'u32',
  width_1: 'u32',
  width_2: 'u32',
  b_0: 'u32',
  b_1: 'u32',
  b_2: 'u32',
} as const
const bindings = ['step', 'y', 'dy', 'db'] as const

export const loraBackwardBKernel = defineKernel({ name: 'lora_backward_b', code, uniforms, bindings })

export const loraBackwardBDirectKernel = defineKernel({
  name: 'lora_backward_b_direct',
  code: directCode,
  uniforms,
  bindings,
})

/** Columns that a workgroup takes. */
const COLUMNS = 32
/** Columns of a lane of the direct kernel, all of one part, and lanes of its workgroup. */
const EACH = 4
const LANES = 32

/**
 * Adds the gradient of B, `dB[s, part][j, n] += Σ_r scale(r)·u[r, part, j]·dy[r, first(part) + n]` over the rows of slot
 * s, or over all rows where B is shared. Otherwise the rows of a slot must be neighbours, slots ascending. The order of the sums is fixed.
 *
 * Reference: HyCoRA, eq. 7.
 *
 * @param tensors `step`; `y` [rows, ≥ out + parts·rank], of which the u are read; `dy` [rows, ≥ out]; adds to `db`, laid
 *   out as the adapter's B.
 * @param options `slots`: slots 0 to slots − 1 get gradients; one is enough where B is shared.
 * @throws HycoraError `shape-mismatch` when a tensor is too narrow.
 */
export async function loraBackwardB(
  { device, tuning }: TunedDevice,
  group: AdaptedGroup,
  tensors: { readonly step: Tensor; readonly y: Tensor; readonly dy: Tensor; readonly db: Tensor },
  { slots }: { readonly slots: number },
): Promise<Dispatch> {
  const { paddedRank, bSlotStride } = group.adapter
  const out = groupColumns(group)
  const isDirect = tuning.manyRows === 'direct'
  const quads = group.widths.reduce((sum, width) => sum + Math.ceil(width / EACH), 0)
  const grid = [
    Math.ceil(isDirect ? quads / LANES : out / COLUMNS),
    isDirect ? rankPairs(paddedRank) : paddedRank / 4,
    bSlotStride === 0 ? 1 : slots,
  ] as const
  return bindKernel(
    device,
    isDirect ? loraBackwardBDirectKernel : loraBackwardBKernel,
    tensors,
    {
      rank: paddedRank,
      y_stride: expectColumns('y', tensors.y, out + group.count * paddedRank),
      dy_stride: expectColumns('dy', tensors.dy, out),
      b_slot_stride: bSlotStride,
      ...groupUniforms(group),
    },
    { workgroups: () => grid },
  )
}
