import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import type { PackedMatrix } from '../../../src/kernels/operands/packedMatrix.ts'
import { packDropout } from '../../../src/kernels/operands/dropout.ts'
import type { ProjectedParts } from '../../../src/kernels/operands/adapterBinding.ts'
import { projectBackward } from '../../../src/kernels/projectBackward.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { loraCases } from '../../cases/lora.ts'
import { projectCases } from '../../cases/project.ts'
import { dropoutReference } from '../../reference/dropout.ts'
import { loraBackwardInputReference, projectBackwardReference } from '../../reference/projectBackward.ts'
import { adaptedGroup } from '../../support/adaptedGroup.ts'
import { noAdapter } from '../../support/adapter.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { packMatrix } from '../../support/packMatrix.ts'
import { columnsOf, joinColumns, uploadRows } from '../../support/rows.ts'
import { mixedRows, uploadStep, withoutRoles } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const SALT = 23
const SPARE = 3

interface Way {
  readonly plan: 'tile' | 'direct'
  /** Rows of dy are a multiple of so many floats apart. */
  readonly multiple: number
}

const WAYS: readonly Way[] = [
  { plan: 'tile', multiple: 1 },
  { plan: 'direct', multiple: 1 },
  { plan: 'direct', multiple: 4 },
]

async function run(
  rows: readonly StepRow[],
  matrix: PackedMatrix,
  parts: ProjectedParts,
  dy: Float32Array,
  dropoutBytes: ArrayBuffer,
  { plan, multiple }: Way,
): Promise<Float32Array> {
  const width = dy.length / rows.length
  const stride = matrix.in + SPARE
  const dx = createGuarded(device, [rows.length + 1, stride], 'dx')
  const tensors = {
    step: uploadStep(device, rows),
    dy: uploadRows(device, dy, width, Math.ceil((width + 1) / multiple) * multiple, 'dy'),
    dropout: uploadTensor(device, [4], new Float32Array(dropoutBytes), 'dropout'),
    dx,
  }
  const gpu = await testGpu({ manyRows: plan })
  submit(device, [await projectBackward(gpu, matrix, parts, tensors, { salt: SALT })], rows.length)
  const all = await readGuarded(device, dx)
  const words = new Uint32Array(all.buffer, all.byteOffset, all.length)
  const isGuard = (_word: number, index: number): boolean =>
    index >= rows.length * stride || index % stride >= matrix.in
  expectUntouched(words.filter(isGuard))
  return columnsOf(all.subarray(0, rows.length * stride), stride, 0, matrix.in)
}

describe.each(projectCases)(
  '$format blocks $blockSize half scales $halfScales: [$rows, $out]·[$out, $in], seed $seed',
  ({ out, in: inFeatures, rows: count, seed, ...format }) => {
    test.each(WAYS)('without an adapter, %o', async (way) => {
      const { matrix, values } = packMatrix(device, normals(seed, out * inFeatures), out, inFeatures, format)
      const parts = { adapter: noAdapter(device), count: 0, aOffset: 0, aPartStride: 0 }
      const dy = normals(seed + 1, count * out)
      const dx = await run(mixedRows(count, 1), matrix, parts, dy, packDropout(seed, 0), way)
      // What rounding makes of a sum grows with how much is added.
      const tolerance = 1e-10 * Math.max(1, out / 2 ** 16)
      expect(nmse(dx, projectBackwardReference(dy, values, inFeatures, out))).toBeLessThanOrEqual(tolerance)
    })
  },
)

describe.each(loraCases)(
  '[$rows, $widths] to $in, rank $rank, $slots slots, shared A $sharesA, dropout $probability, seed $seed',
  (shape) => {
    const { rows: count, in: inFeatures, widths, rank, slots, probability, seed } = shape
    const rows = mixedRows(count, slots)
    const out = widths.reduce((sum, width) => sum + width, 0)
    const dy = normals(seed + 101, count * out)
    const du = normals(seed + 102, count * widths.length * rank)
    const weights = normals(seed + 103, out * inFeatures)

    test.each(WAYS)('with an adapter, or rows that play none, %o', async (way) => {
      const { matrix, values } = packMatrix(device, weights, out, inFeatures, { format: 'q4', blockSize: 32 })
      const { group, a } = adaptedGroup(device, shape)
      const drop = dropoutReference(count, inFeatures, { seed, salt: SALT, probability })
      const joined = joinColumns(count, [dy, du])
      const dropout = packDropout(seed, probability)
      const dx = await run(rows, matrix, group, joined, dropout, way)
      const base = projectBackwardReference(dy, values, inFeatures, out)
      const adapted = loraBackwardInputReference(rows, drop, du, a, rank)
      const expected = base.map((value, index) => value + adapted[index]!)
      expect(nmse(dx, expected)).toBeLessThanOrEqual(1e-10)
      const bare = await run(rows, matrix, { ...group, count: 0 }, dy, dropout, way)
      expectSameBits(await run(withoutRoles(rows), matrix, group, joined, dropout, way), bare)
    })
  },
)
