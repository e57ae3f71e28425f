import code from '../../shaders/role_layer_backward.wgsl?raw'
import { check } from '../core/errors.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const roleLayerBackwardKernel = defineKernel({
  name: 'role_layer_backward',
  code,
  uniforms: { layer_ids: 'u32', role_columns: 'u32', layer_columns: 'u32' },
  bindings: ['dv', 'role_ids', 'count', 'droles', 'dlayers'],
})

const WORKGROUP_SIZE = 64

/**
 * Gradients of `roleLayerInput`, added to what is there: `droles[role_ids[b]] += Σ_l dv[b · layerIds + l, :roleColumns]`,
 * `dlayers[l] += Σ_b dv[b · layerIds + l, roleColumns:]` over the first `count` blocks, of which no two have the same role.
 * The dispatch's `rows` do not matter.
 *
 * @param tensors `dv` [blocks · layerIds, role columns + layer columns], `role_ids` u32 [blocks], `count` u32 [1]; adds to
 * `droles` [roles, role columns] and `dlayers` [layerIds, layer columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above, or the rows exceed one grid dimension.
 */
export async function roleLayerBackward(
  device: GPUDevice,
  tensors: {
    readonly dv: Tensor
    readonly role_ids: Tensor
    readonly count: Tensor
    readonly droles: Tensor
    readonly dlayers: Tensor
  },
): Promise<Dispatch> {
  const { dv, role_ids, count, droles, dlayers } = tensors
  const [layerIds = 0, layerColumns = 0] = dlayers.shape
  const roleColumns = droles.shape[1] ?? 0
  const columns = roleColumns + layerColumns
  const blocks = sizeOf(role_ids.shape)
  check(
    droles.shape.length === 2 &&
      dlayers.shape.length === 2 &&
      sizeOf(dv.shape) === blocks * layerIds * columns &&
      sizeOf(count.shape) === 1,
    'shape-mismatch',
    () =>
      `role_layer_backward: dv [${dv.shape.join(', ')}], count [${count.shape.join(', ')}], droles ` +
      `[${droles.shape.join(', ')}] and dlayers [${dlayers.shape.join(', ')}], expected [${blocks * layerIds}, ${columns}], ` +
      '[1] and two matrices',
  )
  check(layerIds + blocks <= 65_535, 'shape-mismatch', () => {
    return `role_layer_backward: ${layerIds} layers and ${blocks} blocks, at most 65535 together are possible`
  })
  const grid = [
    Math.ceil(Math.max(roleColumns, layerColumns) / WORKGROUP_SIZE),
    layerIds + blocks,
    1,
  ] as const
  return bindKernel(
    device,
    roleLayerBackwardKernel,
    tensors,
    { layer_ids: layerIds, role_columns: roleColumns, layer_columns: layerColumns },
    { workgroups: () => grid },
  )
}
