import { describe, expect, test } from 'vitest'

import { Random } from '../../../src/core/random.ts'
import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { infoNce } from '../../../src/kernels/infoNce.ts'
import { infoNceReference } from '../../reference/infoNce.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** Odd; a workgroup ± 1; several; roles that are not there, or stand several times, in the denominator. */
describe.each([
  { rows: 1, roles: 2, form: 'table', seed: 2330 },
  { rows: 3, roles: 7, form: 'batch', seed: 2331 },
  { rows: 4, roles: 63, form: 'table', seed: 2332 },
  { rows: 5, roles: 64, form: 'batch', seed: 2333 },
  { rows: 8, roles: 65, form: 'batch', seed: 2334 },
  { rows: 6, roles: 200, form: 'table', seed: 2335 },
])('$rows rows against $roles roles, $form, seed $seed', ({ rows, roles, form, seed }) => {
  const random = new Random(seed)
  // Logits are cosines over the temperature: within ±10.
  const logits = normals(seed, rows * roles, 5)
  const roleIds = Uint32Array.from({ length: rows }, () => random.nextBelow(roles))
  const occurrences = Float32Array.from({ length: roles }, (_, role) =>
    form === 'table' ? 1 : roleIds.filter((id) => id === role).length,
  )

  test('gives losses and their gradients, the row that was not asked for untouched', async () => {
    const tensors = {
      role_ids: uploadTensor(device, [rows + 1], Uint32Array.of(...roleIds, 0), 'role ids'),
      occurrences: uploadTensor(device, [roles], occurrences, 'occurrences'),
      scales: uploadTensor(device, [2], Float32Array.of(0.5, -0.25), 'scales'),
      logits: createGuarded(device, [rows + 1, roles], 'logits'),
      loss: createGuarded(device, [rows + 1], 'loss'),
    }
    device.queue.writeBuffer(tensors.logits.buffer, 0, logits)
    submit(device, [await infoNce(device, tensors)], rows)
    const gradient = await readGuarded(device, tensors.logits)
    const loss = await readGuarded(device, tensors.loss)
    const expected = infoNceReference(logits, roleIds, occurrences)
    expect(
      nmse(
        loss.subarray(0, rows),
        expected.loss.map((value) => 0.5 * value),
      ),
    ).toBeLessThanOrEqual(1e-10)
    expect(
      nmse(
        gradient.subarray(0, rows * roles),
        expected.gradient.map((value) => -0.25 * value),
      ),
    ).toBeLessThanOrEqual(1e-10)
    const untouched = [...gradient.slice(rows * roles), loss[rows]!]
    expectUntouched(Float32Array.from(untouched))
  })
})

test('one role alone in the batch has no gradient', async () => {
  const tensors = {
    role_ids: uploadTensor(device, [2], Uint32Array.of(1, 1), 'role ids'),
    occurrences: uploadTensor(device, [3], Float32Array.of(0, 2, 0), 'occurrences'),
    scales: uploadTensor(device, [2], Float32Array.of(1, 1), 'scales'),
    logits: uploadTensor(device, [2, 3], normals(2340, 6), 'logits'),
    loss: createGuarded(device, [2], 'loss'),
  }
  submit(device, [await infoNce(device, tensors)], 2)
  const loss = await readGuarded(device, tensors.loss)
  const gradient = await readTensor(device, tensors.logits)
  expect(nmse(loss, [Math.log(2), Math.log(2)])).toBeLessThanOrEqual(1e-10)
  expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-6)
})

test('refuses shapes that do not fit', async () => {
  const create = (...shape: readonly number[]) => createTensor(device, shape, 'tensor')
  await expect(
    infoNce(device, {
      role_ids: create(4),
      occurrences: create(3),
      scales: create(1),
      logits: create(4, 3),
      loss: create(4),
    }),
  ).rejects.toMatchObject({ code: 'shape-mismatch' })
})
