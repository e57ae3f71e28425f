import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import type { Tuning } from '../../../src/gpu/tuning.ts'
import type { AdapterBinding } from '../../../src/kernels/operands/adapterBinding.ts'
import { addRmsNorm } from '../../../src/kernels/addRmsNorm.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { addRmsNormCases } from '../../cases/addRmsNorm.ts'
import type { AddRmsNormCase } from '../../cases/addRmsNorm.ts'
import { addRmsNormReference } from '../../reference/addRmsNorm.ts'
import { adapterUp, noAdapter } from '../../support/adapter.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf, joinColumns, uploadRows, writeRows } from '../../support/rows.ts'
import { mixedRows, uploadStep, withoutRoles } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const EPSILON = 1e-5

const device = await testDevice()

function prepare({ columns, rows, rank, seed }: AddRmsNormCase) {
  const residual = normals(seed, rows * columns)
  const gain = normals(seed + 1, columns)
  const delta = normals(seed + 2, rows * columns)
  const bias = normals(seed + 3, columns)
  const u = normals(seed + 4, rows * rank)
  const joined = joinColumns(rows, [delta, u])
  return { residual, gain, delta, bias, u, joined }
}

type Inputs = ReturnType<typeof prepare>

/** Runs the kernel in guarded, strided tensors; gives the new residual and the normalised rows. */
async function run(
  rows: readonly StepRow[],
  inputs: Inputs,
  adapter: AdapterBinding,
  bOffset: number | null,
  { isNormed = true, ...tuning }: Partial<Tuning> & { readonly isNormed?: boolean } = {},
): Promise<{ sum: Float32Array; y: Float32Array }> {
  const columns = inputs.gain.length
  // Without a norm all of a row is given on.
  const strides = { residual: isNormed ? columns + 3 : columns, y: columns + 2 }
  const residual = createGuarded(device, [rows.length, strides.residual], 'residual')
  writeRows(device, residual, inputs.residual, columns)
  const y = createGuarded(device, [rows.length, strides.y], 'y')
  const width = inputs.joined.length / rows.length
  const added =
    bOffset === null
      ? null
      : {
          delta: uploadRows(device, inputs.joined, width, width + 1, 'delta'),
          bias: uploadTensor(device, [columns], inputs.bias, 'bias'),
          bOffset,
        }
  const tensors = {
    step: uploadStep(device, rows),
    gain: isNormed ? uploadTensor(device, [columns], inputs.gain, 'gain') : null,
    residual,
    y,
  }
  const dispatch = await addRmsNorm(await testGpu(tuning), adapter, tensors, added, { epsilon: EPSILON })
  submit(device, [dispatch], rows.length)
  const sums = await readGuarded(device, residual)
  const normalised = await readGuarded(device, y)
  const spare = columnsOf(normalised, strides.y, columns, 2)
  expectUntouched(spare)
  return {
    sum: columnsOf(sums, strides.residual, 0, columns),
    y: columnsOf(normalised, strides.y, 0, columns),
  }
}

describe.each(addRmsNormCases)(
  '[$rows, $columns], rank $rank, $slots slots, shared B $isShared, seed $seed',
  (shape) => {
    const rows = mixedRows(shape.rows, shape.slots)

    test.each([EMULATED, CARD])('adds and normalises with $normLanes lanes', async (tuning) => {
      const inputs = prepare(shape)
      const { adapter, b, offsets } = adapterUp(device, { ...shape, widths: [shape.columns] })
      const { residual, gain, delta, bias, u } = inputs
      const added = { delta, bias, u, b: b[0]!, rank: shape.rank }
      const expected = addRmsNormReference(rows, { residual, gain, added }, EPSILON)
      const actual = await run(rows, inputs, adapter, offsets[0]!, tuning)
      expect(nmse(actual.sum, expected.sum)).toBeLessThanOrEqual(1e-10)
      expect(nmse(actual.y, expected.y)).toBeLessThanOrEqual(1e-10)
    })

    test('without an addition the residual stays, bit for bit', async () => {
      const inputs = prepare(shape)
      const { residual, gain } = inputs
      const actual = await run(rows, inputs, noAdapter(device), null)
      expectSameBits(actual.sum, residual)
      expect(nmse(actual.y, addRmsNormReference(rows, { residual, gain }, EPSILON).y)).toBeLessThanOrEqual(
        1e-10,
      )
    })

    test('without a norm gives the sum itself, bit for bit', async () => {
      const inputs = prepare(shape)
      const { adapter, offsets } = adapterUp(device, { ...shape, widths: [shape.columns] })
      const normed = await run(rows, inputs, adapter, offsets[0]!)
      const plain = await run(rows, inputs, adapter, offsets[0]!, { isNormed: false })
      expectSameBits(plain.sum, normed.sum)
      expectSameBits(plain.y, normed.sum)
      const bare = await run(rows, inputs, noAdapter(device), null, { isNormed: false })
      expectSameBits(bare.y, inputs.residual)
    })

    test('rows without a role equal the bare backbone, bit for bit', async () => {
      const inputs = prepare(shape)
      const { adapter, offsets } = adapterUp(device, { ...shape, widths: [shape.columns] })
      const bare = await run(rows, inputs, noAdapter(device), 0)
      const silent = await run(withoutRoles(rows), inputs, adapter, offsets[0]!)
      expectSameBits(silent.sum, bare.sum)
      expectSameBits(silent.y, bare.y)
      const mixed = await run(rows, inputs, adapter, offsets[0]!)
      rows.forEach(({ scale }, row) => {
        if (scale !== 0) return
        const [from, to] = [row * shape.columns, (row + 1) * shape.columns]
        expectSameBits(mixed.y.subarray(from, to), bare.y.subarray(from, to))
      })
    })
  },
)
