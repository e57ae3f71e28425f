import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import { CARD, EMULATED } from '../../../src/gpu/tuning.ts'
import type { Tuning } from '../../../src/gpu/tuning.ts'
import type { AdapterBinding } from '../../../src/kernels/operands/adapterBinding.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { projectionNorm } from '../../../src/kernels/projectionNorm.ts'
import { projectionNormBackward } from '../../../src/kernels/projectionNormBackward.ts'
import { projectionNormCases } from '../../cases/projectionNorm.ts'
import type { ProjectionNormCase } from '../../cases/projectionNorm.ts'
import { projectionNormReference } from '../../reference/projectionNorm.ts'
import { projectionNormBackwardReference } from '../../reference/projectionNormBackward.ts'
import { adapterUp, noAdapter } from '../../support/adapter.ts'
import { expectClose, expectSameBits } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { normedParts, widthsOf } from '../../support/normedParts.ts'
import { columnsOf, joinColumns, uploadRows } from '../../support/rows.ts'
import { mixedRows, uploadStep, withoutRoles } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const EPSILON = 1e-5

const device = await testDevice()

type Parts = ReturnType<typeof normedParts>

/** Runs the kernel, or with dy its backward; gives the parts of what it wrote. */
async function run(
  shape: ProjectionNormCase,
  rows: readonly StepRow[],
  parts: Parts,
  { adapter, offsets }: { readonly adapter: AdapterBinding; readonly offsets: readonly number[] },
  { tuning = CARD, dy }: { readonly tuning?: Tuning; readonly dy?: Float32Array } = {},
): Promise<Float32Array[]> {
  const widths = widthsOf(shape)
  const total = widths.reduce((sum, width) => sum + width, 0)
  const u = adapter.paddedRank === 0 ? [] : parts.map((part) => part.u)
  const joined = joinColumns(rows.length, [...parts.map(({ values }) => values), ...u])
  const width = joined.length / rows.length
  const bias = parts.flatMap((part) => Array.from(part.bias))
  const gain = parts.flatMap((part) => Array.from(part.gain ?? []))
  const written = createGuarded(device, [rows.length, total + 2], 'written')
  const tensors = {
    step: uploadStep(device, rows),
    qkv: uploadRows(device, joined, width, width + 1, 'qkv'),
    bias: uploadTensor(device, [bias.length], Float32Array.from(bias), 'bias'),
    gain: uploadTensor(device, [gain.length], Float32Array.from(gain), 'gain'),
  }
  const norm = { ...shape, epsilon: EPSILON }
  const places = { q: offsets[0]!, k: offsets[1] ?? 0, v: offsets[2] ?? 0 }
  const gpu = await testGpu(tuning)
  const dispatch = dy
    ? await projectionNormBackward(
        gpu,
        norm,
        adapter,
        { ...tensors, dy: uploadRows(device, dy, total, total + 3, 'dy'), dqkv: written },
        places,
      )
    : await projectionNorm(gpu, norm, adapter, { ...tensors, y: written }, places)
  submit(device, [dispatch], rows.length)
  const all = await readGuarded(device, written)
  expectUntouched(columnsOf(all, total + 2, total, 2))
  let first = 0
  return widths.map((columns) => {
    first += columns
    return columnsOf(all, total + 2, first - columns, columns)
  })
}

describe.each(projectionNormCases)(
  '$heads/$kvHeads heads of $headDim in groups of $queryGroup/$keyGroup, $rows rows, rank $rank, seed $seed',
  (shape) => {
    const rows = mixedRows(shape.rows, shape.slots)
    const parts = normedParts(shape)
    const up = adapterUp(device, { ...shape, widths: widthsOf(shape) })

    test.each([EMULATED, CARD])('normalises queries and keys with $normLanes lanes', async (tuning) => {
      const actual = await run(shape, rows, parts, up, { tuning })
      parts.forEach((part, at) => {
        const whole = { ...part, b: up.b[at]! }
        expectClose(actual[at]!, projectionNormReference(rows, whole, shape.rank, EPSILON))
      })
    })

    test.each([EMULATED, CARD])('takes a gradient back with $normLanes lanes', async (tuning) => {
      const dys = parts.map(({ values }, at) => normals(shape.seed + 20 + at, values.length))
      const actual = await run(shape, rows, parts, up, { tuning, dy: joinColumns(rows.length, dys) })
      parts.forEach((part, at) => {
        const whole = { ...part, b: up.b[at]! }
        const expected = projectionNormBackwardReference(rows, dys[at]!, whole, shape.rank, EPSILON)
        expectClose(actual[at]!, expected)
      })
    })

    test('without roles all equals the bare backbone, bit for bit', async () => {
      const bare = await run(shape, rows, parts, { adapter: noAdapter(device), offsets: [0, 0, 0] })
      const silent = await run(shape, withoutRoles(rows), parts, up)
      bare.forEach((part, at) => expectSameBits(silent[at]!, part))
    })
  },
)

test('heads that norms do not divide are refused', async () => {
  const shape = { ...projectionNormCases[4]!, queryGroup: 3 }
  const up = adapterUp(device, { ...shape, widths: widthsOf(shape) })
  const running = run(shape, mixedRows(shape.rows, shape.slots), normedParts(shape), up)
  await expect(running).rejects.toThrow('norms take 3 of 4 and 2 of 2 heads, expected divisors')
})
