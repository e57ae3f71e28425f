import { expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { roleLayerBackward } from '../../../src/kernels/roleLayerBackward.ts'
import { roleLayerBackwardReference } from '../../reference/roleLayerBackward.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

/** 1; odd; a workgroup ± 1; one part wider than the other; the starter's. One block more than is in use. */
test.each([
  { roles: 1, ids: 1, roleColumns: 1, layerColumns: 1, roleIds: [0], seed: 2210 },
  { roles: 4, ids: 3, roleColumns: 5, layerColumns: 2, roleIds: [3, 1], seed: 2211 },
  { roles: 5, ids: 14, roleColumns: 63, layerColumns: 65, roleIds: [4, 0, 2], seed: 2212 },
  { roles: 6, ids: 42, roleColumns: 64, layerColumns: 130, roleIds: [5, 1, 2, 0], seed: 2213 },
])(
  'roles $roleIds of $roles, $ids layers, widths $roleColumns and $layerColumns, seed $seed',
  async ({ roleIds, seed, ...sizes }) => {
    const device = await testDevice()
    const { roles, ids, roleColumns, layerColumns } = sizes
    const columns = roleColumns + layerColumns
    const blocks = roleIds.length + 1
    const dv = normals(seed, blocks * ids * columns)
    const rolesBefore = normals(seed + 1, roles * roleColumns)
    const layersBefore = normals(seed + 2, ids * layerColumns)
    const droles = createGuarded(device, [roles, roleColumns], 'droles')
    const dlayers = createGuarded(device, [ids, layerColumns], 'dlayers')
    device.queue.writeBuffer(droles.buffer, 0, rolesBefore)
    device.queue.writeBuffer(dlayers.buffer, 0, layersBefore)
    const dispatch = await roleLayerBackward(device, {
      dv: uploadTensor(device, [blocks * ids, columns], dv, 'dv'),
      role_ids: uploadTensor(device, [blocks], Uint32Array.of(...roleIds, 0), 'role ids'),
      count: uploadTensor(device, [1], Uint32Array.of(roleIds.length), 'count'),
      droles,
      dlayers,
    })
    submit(device, [dispatch], 0)
    const expected = roleLayerBackwardReference(dv, roleIds, sizes)
    expect(
      nmse(
        await readGuarded(device, droles),
        expected.droles.map((value, i) => value + rolesBefore[i]!),
      ),
    ).toBeLessThanOrEqual(1e-10)
    expect(
      nmse(
        await readGuarded(device, dlayers),
        expected.dlayers.map((value, i) => value + layersBefore[i]!),
      ),
    ).toBeLessThanOrEqual(1e-10)
  },
)

test('refuses shapes that do not fit', async () => {
  const device = await testDevice()
  const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
  await expect(
    roleLayerBackward(device, {
      dv: create(6, 4),
      role_ids: create(2),
      count: create(1),
      droles: create(5, 3),
      dlayers: create(3, 2),
    }),
  ).rejects.toMatchObject({ code: 'shape-mismatch' })
})
