/**
 * Gradients of `v[b · ids + l] = [roles[roleIds[b]] ; layers[l]]` from dv [blocks · ids, roleColumns + layerColumns]:
 * each table's row gathers the part of every row of dv that it stands in.
 */
export function roleLayerBackwardReference(
  dv: ArrayLike<number>,
  roleIds: readonly number[],
  {
    roles,
    ids,
    roleColumns,
    layerColumns,
  }: Readonly<Record<'roles' | 'ids' | 'roleColumns' | 'layerColumns', number>>,
): { readonly droles: Float64Array; readonly dlayers: Float64Array } {
  const droles = new Float64Array(roles * roleColumns)
  const dlayers = new Float64Array(ids * layerColumns)
  const columns = roleColumns + layerColumns
  roleIds.forEach((role, block) => {
    for (let id = 0; id < ids; id++) {
      const row = (block * ids + id) * columns
      for (let c = 0; c < roleColumns; c++) droles[role * roleColumns + c]! += dv[row + c]!
      for (let c = 0; c < layerColumns; c++) dlayers[id * layerColumns + c]! += dv[row + roleColumns + c]!
    }
  })
  return { droles, dlayers }
}
