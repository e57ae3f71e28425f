import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { roleLayerInput } from '../../../src/kernels/roleLayerInput.ts'
import { roleLayerInputCases } from '../../cases/roleLayerInput.ts'
import { roleLayerInputReference } from '../../reference/roleLayerInput.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const rowsOf = (values: Float32Array, columns: number): number[][] =>
  Array.from({ length: values.length / columns }, (_, row) => [
    ...values.subarray(row * columns, (row + 1) * columns),
  ])

describe('role_layer_input', () => {
  test.each(roleLayerInputCases)(
    '$roleIds.length roles of $roleColumns, $layerIds layers of $layerColumns, seed $seed',
    async ({ roles, roleColumns, layerIds, layerColumns, roleIds, seed }) => {
      const device = await testDevice()
      const roleTable = normals(seed, roles * roleColumns)
      const layerTable = normals(seed + 100, layerIds * layerColumns)
      const rows = roleIds.length * layerIds
      const v = createGuarded(device, [rows, roleColumns + layerColumns], 'v')
      const dispatch = await roleLayerInput(device, {
        roles: uploadTensor(device, [roles, roleColumns], roleTable, 'roles'),
        layers: uploadTensor(device, [layerIds, layerColumns], layerTable, 'layers'),
        role_ids: uploadTensor(device, [roleIds.length], Uint32Array.from(roleIds), 'role ids'),
        v,
      })
      submit(device, [dispatch], rows)
      const expected = roleLayerInputReference(
        rowsOf(roleTable, roleColumns),
        rowsOf(layerTable, layerColumns),
        roleIds,
      )
      expect([...(await readGuarded(device, v))]).toEqual(expected)
    },
  )

  test('refuses shapes that do not fit', async () => {
    const device = await testDevice()
    const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
    await expect(
      roleLayerInput(device, {
        roles: create(2, 3),
        layers: create(4, 5),
        role_ids: create(1),
        v: create(4, 7),
      }),
    ).rejects.toMatchObject({ code: 'shape-mismatch' })
  })
})
