/** `v[b · ids + l] = [roles[roleIds[b]] ; layers[l]]`. */
export function roleLayerInputReference(
  roles: readonly (readonly number[])[],
  layers: readonly (readonly number[])[],
  roleIds: readonly number[],
): number[] {
  return roleIds.flatMap((role) => layers.flatMap((layer) => [...roles[role]!, ...layer]))
}
