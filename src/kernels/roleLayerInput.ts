import code from '../../shaders/role_layer_input.wgsl?raw'
import { check } from '../core/errors.ts'
import { exactGrid } from '../gpu/grid.ts'
import { bindKernel, defineKernel } from '../gpu/kernel.ts'
import type { Dispatch } from '../gpu/kernel.ts'
import { sizeOf } from '../gpu/tensor.ts'
import type { Tensor } from '../gpu/tensor.ts'

export const roleLayerInputKernel = defineKernel({
  name: 'role_layer_input',
  code,
  uniforms: { layer_ids: 'u32', role_columns: 'u32', layer_columns: 'u32' },
  bindings: ['roles', 'layers', 'role_ids', 'v'],
})

const WORKGROUP_SIZE = 64

/**
 * The hyper-network's input, for every adapted layer of every listed role:
 * `v[b · layerIds + l] = [roles[role_ids[b]] ; layers[l]]`.
 *
 * Reference: HyCoRA, arXiv 2511.08017, the concatenation [e_role ; e_layer].
 *
 * @param tensors `roles` [roles, role columns], `layers` [layerIds, layer columns], `role_ids` u32 [blocks]; writes `v`
 * [blocks · layerIds, role columns + layer columns].
 * @throws HycoraError `shape-mismatch` when a shape differs from the above, or the rows exceed one grid dimension.
 */
export async function roleLayerInput(
  device: GPUDevice,
  tensors: { readonly roles: Tensor; readonly layers: Tensor; readonly role_ids: Tensor; readonly v: Tensor },
): Promise<Dispatch> {
  const { roles, layers, role_ids, v } = tensors
  const [layerIds = 0, layerColumns = 0] = layers.shape
  const roleColumns = roles.shape[1] ?? 0
  const columns = roleColumns + layerColumns
  const rows = sizeOf(role_ids.shape) * layerIds
  check(
    roles.shape.length === 2 && layers.shape.length === 2 && sizeOf(v.shape) === rows * columns,
    'shape-mismatch',
    () =>
      `role_layer_input: roles [${roles.shape.join(', ')}], layers [${layers.shape.join(', ')}] and v ` +
      `[${v.shape.join(', ')}], expected matrices and v [${rows}, ${columns}]`,
  )
  check(rows <= 65_535, 'shape-mismatch', () => `role_layer_input: ${rows} rows, at most 65535 are possible`)
  return bindKernel(
    device,
    roleLayerInputKernel,
    tensors,
    { layer_ids: layerIds, role_columns: roleColumns, layer_columns: layerColumns },
    { workgroups: (count) => [Math.ceil(columns / WORKGROUP_SIZE), ...exactGrid(count)] },
  )
}
