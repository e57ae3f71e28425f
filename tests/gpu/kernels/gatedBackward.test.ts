import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { gatedBackward } from '../../../src/kernels/gatedBackward.ts'
import { gatedCases } from '../../cases/gated.ts'
import { gatedBackwardReference } from '../../reference/gatedBackward.ts'
import { adapterUp } from '../../support/adapter.ts'
import { nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf, joinColumns, uploadRows } from '../../support/rows.ts'
import { mixedRows, uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

describe.each(gatedCases)(
  '$activation of [$rows, $columns], rank $rank, $slots slots, shared B $isShared, gate spread $spread, seed $seed',
  (shape) => {
    const { activation, columns, rank, seed, spread } = shape
    const rows = mixedRows(shape.rows, shape.slots)
    const count = rows.length

    test('agrees with the reference', async () => {
      const [gate, up] = [normals(seed, count * columns, spread), normals(seed + 1, count * columns)]
      const [uGate, uUp] = [normals(seed + 2, count * rank), normals(seed + 3, count * rank)]
      const bias = normals(seed + 4, 2 * columns)
      const dy = normals(seed + 5, count * columns)
      const { adapter, b, offsets } = adapterUp(device, { ...shape, widths: [columns, columns] })
      const joined = joinColumns(count, [gate, up, uGate, uUp])
      const width = joined.length / count
      const stride = 2 * columns + 3
      const tensors = {
        step: uploadStep(device, rows),
        gate_up: uploadRows(device, joined, width, width + 1, 'gate_up'),
        bias: uploadTensor(device, [2 * columns], bias, 'bias'),
        dy: uploadRows(device, dy, columns, columns + 2, 'dy'),
        dgate_up: createGuarded(device, [count, stride], 'dgate_up'),
      }
      const places = { gate: offsets[0]!, up: offsets[1]! }
      submit(device, [await gatedBackward(device, activation, adapter, tensors, places)], count)
      const all = await readGuarded(device, tensors.dgate_up)
      const expected = gatedBackwardReference(
        activation,
        rows,
        dy,
        { values: gate, bias: bias.subarray(0, columns), u: uGate, b: b[0]! },
        { values: up, bias: bias.subarray(columns), u: uUp, b: b[1]! },
        columns,
        rank,
      )
      expect(nmse(columnsOf(all, stride, 0, columns), expected.gate)).toBeLessThanOrEqual(1e-10)
      expect(nmse(columnsOf(all, stride, columns, columns), expected.up)).toBeLessThanOrEqual(1e-10)
      const spare = columnsOf(all, stride, 2 * columns, 3)
      expectUntouched(spare)
    })
  },
)
