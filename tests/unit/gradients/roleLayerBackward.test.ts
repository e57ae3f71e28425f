import { expect, test } from 'vitest'

import { roleLayerBackwardReference } from '../../reference/roleLayerBackward.ts'
import { roleLayerInputReference } from '../../reference/roleLayerInput.ts'
import { GRADIENT_TOLERANCE, gradientError, inner } from '../../support/gradcheck.ts'
import { normals } from '../../support/values.ts'

const rowsOf = (values: Float64Array, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, row) => [
    ...values.subarray(row * columns, (row + 1) * columns),
  ])

test.each([
  { roles: 1, ids: 1, roleColumns: 1, layerColumns: 1, roleIds: [0], seed: 2200 },
  { roles: 4, ids: 3, roleColumns: 5, layerColumns: 2, roleIds: [3, 1], seed: 2201 },
])('roles $roleIds of $roles, $ids layers, seed $seed', ({ roleIds, seed, ...sizes }) => {
  const { roles, ids, roleColumns, layerColumns } = sizes
  const tables = Float64Array.from(normals(seed, roles * roleColumns + ids * layerColumns))
  const dv = normals(seed + 1, roleIds.length * ids * (roleColumns + layerColumns))
  const { droles, dlayers } = roleLayerBackwardReference(dv, roleIds, sizes)
  const error = gradientError(
    (point) => {
      const [first, second] = [point.subarray(0, droles.length), point.subarray(droles.length)]
      return inner(
        roleLayerInputReference(rowsOf(first, roleColumns), rowsOf(second, layerColumns), roleIds),
        dv,
      )
    },
    tables,
    Float64Array.of(...droles, ...dlayers),
  )
  expect(error).toBeLessThan(GRADIENT_TOLERANCE)
})
