import code from '../../shaders/lora_backward_up.wgsl?raw'
import directCode from '../../shaders/lora_backward_up_direct.wgsl?raw'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import type { Tensor } from '../gpu/tensor.ts'
import type { TunedDevice } from '../gpu/tuning.ts'
import { directGrid, groupColumns, groupUniforms } from './operands/adaptedGroup.ts'
import type { AdaptedGroup } from './operands/adaptedGroup.ts'
import { expectColumns } from './operands/shapes.ts'

const uniforms = {
  rank: 'u32',
  dy_stride: 'u32',
  b_slot_stride: 'u32',
  width_0: 'u32',
  width_1: 'u32',
  width_2: 'u32',
  b_0: 'u32',
  b_1: 'u32',
  b_2: 'u32',
} as const
const bindings = ['step', 'b', 'dy'] as const

export const loraBackwardUpKernel = defineKernel({ name: 'lora_backward_up', code, uniforms, bindings })

export const loraBackwardUpDirectKernel = defineKernel({
  name: 'lora_backward_up_direct',
  code: directCode,
  uniforms: { parts: 'u32', ...uniforms },
  bindings,
})

/**
 * Gradient of u, `du[r, part, j] = scale(r)·Σ_n dy[r, first(part) + n]·B[slot(r), part][j, n]`, written behind the columns
 * of `dy` as u lies behind those of y.
 *
 * Reference: HyCoRA, eq. 7.
 *
 * @param tensors `step`; `dy` [rows, ≥ out + parts·rank], read and written.
 * @throws HycoraError `shape-mismatch` when `dy` is too narrow.
 */
export async function loraBackwardUp(
  { device, tuning }: TunedDevice,
  group: AdaptedGroup,
  tensors: { readonly step: Tensor; readonly dy: Tensor },
): Promise<Dispatch> {
  const { adapter, count } = group
  const { paddedRank } = adapter
  const bound = { ...tensors, b: adapter.b }
  const values = {
    rank: paddedRank,
    dy_stride: expectColumns('dy', tensors.dy, groupColumns(group) + count * paddedRank),
    b_slot_stride: adapter.bSlotStride,
    ...groupUniforms(group),
  }
  if (tuning.manyRows === 'tile') {
    return bindKernel(device, loraBackwardUpKernel, bound, values, {
      workgroups: (rows) => [(count * paddedRank) / 4, ...exactGrid(rows)],
    })
  }
  return bindKernel(
    device,
    loraBackwardUpDirectKernel,
    bound,
    { parts: count, ...values },
    { workgroups: (rows) => directGrid(count, paddedRank, rows) },
  )
}
