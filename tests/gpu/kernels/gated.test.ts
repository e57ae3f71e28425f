import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import type { AdapterBinding } from '../../../src/kernels/operands/adapterBinding.ts'
import { gated } from '../../../src/kernels/gated.ts'
import type { GateActivation } from '../../../src/kernels/operands/gatedOperands.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { gatedCases } from '../../cases/gated.ts'
import type { GatedCase } from '../../cases/gated.ts'
import { gatedReference } from '../../reference/gated.ts'
import { adapterUp, noAdapter } from '../../support/adapter.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf, joinColumns, uploadRows } from '../../support/rows.ts'
import { mixedRows, uploadStep, withoutRoles } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

function prepare({ columns, rows, rank, seed, spread }: GatedCase) {
  return {
    columns,
    gate: normals(seed, rows * columns, spread),
    up: normals(seed + 1, rows * columns),
    uGate: normals(seed + 2, rows * rank),
    uUp: normals(seed + 3, rows * rank),
    bias: normals(seed + 4, 2 * columns),
  }
}

/** Runs the kernel on guarded, strided tensors. */
async function run(
  activation: GateActivation,
  rows: readonly StepRow[],
  inputs: ReturnType<typeof prepare>,
  adapter: AdapterBinding,
  [gate, up]: readonly number[],
): Promise<Float32Array> {
  const { columns, bias } = inputs
  const joined = joinColumns(rows.length, [inputs.gate, inputs.up, inputs.uGate, inputs.uUp])
  const width = joined.length / rows.length
  const y = createGuarded(device, [rows.length, columns + 3], 'y')
  const tensors = {
    step: uploadStep(device, rows),
    gate_up: uploadRows(device, joined, width, width + 1, 'gate_up'),
    bias: uploadTensor(device, [2 * columns], bias, 'bias'),
    y,
  }
  submit(device, [await gated(device, activation, adapter, tensors, { gate: gate!, up: up! })], rows.length)
  const all = await readGuarded(device, y)
  const spare = columnsOf(all, columns + 3, columns, 3)
  expectUntouched(spare)
  return columnsOf(all, columns + 3, 0, columns)
}

describe.each(gatedCases)(
  '$activation of [$rows, $columns], rank $rank, $slots slots, shared B $isShared, gate spread $spread, seed $seed',
  (shape) => {
    const { activation, columns, rank } = shape
    const rows = mixedRows(shape.rows, shape.slots)

    test('gates, with bias and adapter', async () => {
      const inputs = prepare(shape)
      const { adapter, b, offsets } = adapterUp(device, { ...shape, widths: [columns, columns] })
      const { gate, up, uGate, uUp, bias } = inputs
      const expected = gatedReference(
        activation,
        rows,
        { values: gate, bias: bias.subarray(0, columns), u: uGate, b: b[0]! },
        { values: up, bias: bias.subarray(columns), u: uUp, b: b[1]! },
        columns,
        rank,
      )
      expect(nmse(await run(activation, rows, inputs, adapter, offsets), expected)).toBeLessThanOrEqual(1e-10)
    })

    test('rows without a role equal the bare backbone, bit for bit', async () => {
      const inputs = prepare(shape)
      const { adapter, offsets } = adapterUp(device, { ...shape, widths: [columns, columns] })
      const bare = await run(
        activation,
        rows,
        { ...inputs, uGate: empty, uUp: empty },
        noAdapter(device),
        [0, 0],
      )
      expectSameBits(await run(activation, withoutRoles(rows), inputs, adapter, offsets), bare)
      const mixed = await run(activation, rows, inputs, adapter, offsets)
      rows.forEach(({ scale }, row) => {
        if (scale !== 0) return
        const [from, to] = [row * columns, (row + 1) * columns]
        expectSameBits(mixed.subarray(from, to), bare.subarray(from, to))
      })
    })
  },
)

const empty = new Float32Array()
