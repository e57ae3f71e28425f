export const roleLayerInputCases = [
  { roles: 1, roleColumns: 1, layerIds: 1, layerColumns: 1, roleIds: [0], seed: 1 },
  { roles: 5, roleColumns: 16, layerIds: 14, layerColumns: 12, roleIds: [4, 0, 4], seed: 2 },
  { roles: 3, roleColumns: 61, layerIds: 7, layerColumns: 5, roleIds: [2, 1], seed: 3 },
  { roles: 6, roleColumns: 32, layerIds: 42, layerColumns: 32, roleIds: [0, 1, 2, 3, 4, 5], seed: 4 },
] as const
