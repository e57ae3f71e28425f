import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import type { Tensor } from '../../../src/gpu/tensor.ts'
import { EMULATED } from '../../../src/gpu/tuning.ts'
import type { Tuning } from '../../../src/gpu/tuning.ts'
import { paddedWidth } from '../../../src/kernels/operands/packedMatrix.ts'
import type { PackedMatrix } from '../../../src/kernels/operands/packedMatrix.ts'
import { project } from '../../../src/kernels/project.ts'
import type { ProjectOptions } from '../../../src/kernels/project.ts'
import type { ProjectedParts } from '../../../src/kernels/operands/adapterBinding.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { adapterCases, projectCases } from '../../cases/project.ts'
import type { AdapterCase } from '../../cases/project.ts'
import { adapterDownReference, projectReference } from '../../reference/project.ts'
import { noAdapter } from '../../support/adapter.ts'
import { expectClose, expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { packMatrix } from '../../support/packMatrix.ts'
import { columnsOf, uploadRows } from '../../support/rows.ts'
import { mixedRows, sequenceRows, uploadStep, withoutRoles } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

/** Columns of y that no kernel may touch, and rows likewise. */
const SPARE = 3

interface Run {
  readonly matrix: PackedMatrix
  readonly parts: ProjectedParts
  readonly rows: readonly StepRow[]
  readonly x: Tensor
  readonly options: ProjectOptions
  readonly tuning?: Partial<Tuning>
}

/** Runs the kernel and gives the columns of W and those of the rank, after checking what lies beside and below them. */
async function runProject({ matrix, parts, rows, x, options, tuning }: Run) {
  const width = matrix.out + parts.count * parts.adapter.paddedRank
  const stride = width + SPARE
  const written = options.lastRowOnly ? 1 : rows.length
  const y = createGuarded(device, [written + 1, stride], 'y')
  const step = uploadStep(device, rows)
  const dispatch = await project(await testGpu(tuning), matrix, parts, { step, x, y }, options)
  submit(device, [dispatch], rows.length)
  const all = await readGuarded(device, y)
  const untouched = new Uint32Array(all.buffer, all.byteOffset, all.length)
  const isGuard = (_word: number, index: number) => index >= written * stride || index % stride >= width
  expectUntouched(untouched.filter(isGuard))
  const data = all.subarray(0, written * stride)
  return {
    base: columnsOf(data, stride, 0, matrix.out),
    u: columnsOf(data, stride, matrix.out, width - matrix.out),
  }
}

describe.each(projectCases)(
  '$format blocks $blockSize half scales $halfScales: [$rows, $in]·[$out, $in]ᵀ, seed $seed',
  ({ out, in: inFeatures, rows: count, seed, ...format }) => {
    test('all plans agree with the reference', async () => {
      const { matrix, values } = packMatrix(device, normals(seed, out * inFeatures), out, inFeatures, format)
      const input = normals(seed + 1, count * inFeatures)
      const run = {
        matrix,
        parts: { adapter: noAdapter(device), count: 1, aOffset: 0, aPartStride: 0 },
        rows: withoutRoles(mixedRows(count, 1)),
        x: uploadRows(device, input, inFeatures, paddedWidth(inFeatures, matrix.blockSize), 'x'),
      }
      const expected = projectReference(input, values, inFeatures, out)
      const few = await runProject({ ...run, options: { rows: 'few' } })
      expectClose(few.base, expected)
      const others = [
        { options: { rows: 'few' }, tuning: { outputLanes: 8 } },
        { options: { rows: 'pair' } },
        { options: { rows: 'pair' }, tuning: { outputLanes: 8 } },
        { options: { rows: 'many' }, tuning: { manyRows: 'tile' } },
        { options: { rows: 'many' }, tuning: { manyRows: 'direct' } },
      ] as const
      for (const other of others) {
        const { base } = await runProject({ ...run, ...other })
        expectClose(base, expected)
        expect(nmse(base, few.base)).toBeLessThanOrEqual(1e-10)
      }
    })
  },
)

/** A of every slot and part, and the buffer in which they lie apart, the parts in falling order. */
function adapterDown({ in: inFeatures, rank, parts, slots, seed }: AdapterCase) {
  const size = inFeatures * rank
  const partStride = size + 8
  const slotStride = parts * partStride + 4
  const buffer = new Float32Array(slots * slotStride).fill(1e9)
  const a = Array.from({ length: slots }, (_slot, slot) =>
    Array.from({ length: parts }, (_part, part) => {
      const matrix = normals(seed + 10 * slot + part, size)
      buffer.set(matrix, slot * slotStride + 4 + (parts - 1 - part) * partStride)
      return matrix
    }),
  )
  const adapter = {
    paddedRank: rank,
    a: uploadTensor(device, [buffer.length], buffer, 'a'),
    aSlotStride: slotStride,
    b: noAdapter(device).b,
    bSlotStride: 0,
  }
  const bound = { adapter, count: parts, aOffset: 4 + (parts - 1) * partStride, aPartStride: -partStride }
  return { a, bound }
}

describe.each(adapterCases)(
  'adapter of rank $rank, $parts parts, $slots slots: [$rows, $in]·[$out, $in]ᵀ, seed $seed',
  (shape) => {
    const { out, in: inFeatures, rows: count, rank, seed } = shape
    const prepare = (rows: readonly StepRow[]) => {
      const weights = normals(seed + 1, out * inFeatures)
      const { matrix } = packMatrix(device, weights, out, inFeatures, { format: 'q4', blockSize: 32 })
      const input = normals(seed + 2, count * inFeatures)
      return {
        input,
        run: { matrix, rows, x: uploadRows(device, input, inFeatures, paddedWidth(inFeatures, 32), 'x') },
      }
    }

    test.each([
      { options: { rows: 'few' }, tuning: { rankColumns: 'within' } },
      { options: { rows: 'few' }, tuning: { rankColumns: 'beside' } },
      { options: { rows: 'pair' }, tuning: { rankColumns: 'within' } },
      { options: { rows: 'pair' }, tuning: { rankColumns: 'beside' } },
      { options: { rows: 'many' }, tuning: { manyRows: 'tile' } },
      { options: { rows: 'many' }, tuning: { manyRows: 'direct' } },
    ] as const)('%o: every row meets its own slot, or none', async (way) => {
      const rows = mixedRows(count, shape.slots)
      const { run, input } = prepare(rows)
      const { a, bound } = adapterDown(shape)
      const { base, u } = await runProject({ ...run, parts: bound, ...way })
      expectClose(u, adapterDownReference(input, a, rows, inFeatures, rank))
      const bare = await runProject({ ...run, parts: { ...bound, adapter: noAdapter(device) }, ...way })
      expectSameBits(base, bare.base)
    })

    test('tiles of rows that play one role, several or none: every row meets its own slot', async () => {
      const first = Math.ceil(0.6 * count)
      const spoken = sequenceRows([first, count - first], shape.slots)
      // One plays no role among those of the first.
      const rows = spoken.map((row, index) => (index === 1 ? { ...row, scale: 0 } : row))
      const { run, input } = prepare(rows)
      const { a, bound } = adapterDown(shape)
      const way = { options: { rows: 'many' }, tuning: { manyRows: 'tile' } } as const
      const { u } = await runProject({ ...run, parts: bound, ...way })
      expectClose(u, adapterDownReference(input, a, rows, inFeatures, rank))
      const none = await runProject({ ...run, rows: withoutRoles(rows), parts: bound, ...way })
      expect(none.u.every((value) => value === 0)).toBe(true)
    })

    test('the last row alone is the last row', async () => {
      const rows = mixedRows(count, shape.slots)
      const { run } = prepare(rows)
      const { bound } = adapterDown(shape)
      const all = await runProject({ ...run, parts: bound, options: { rows: 'few' } })
      const last = await runProject({
        ...run,
        parts: bound,
        options: { rows: 'few', lastRowOnly: true },
      })
      expectSameBits(last.base, all.base.subarray((count - 1) * out))
      expectSameBits(last.u, all.u.subarray((count - 1) * bound.count * rank))
    })
  },
)

test('a device without subgroups has many rows multiplied in tiles', async () => {
  const bare = {
    features: new Set(),
    queue: device.queue,
    createBuffer: (about: GPUBufferDescriptor) => device.createBuffer(about),
    createShaderModule: (about: GPUShaderModuleDescriptor) => device.createShaderModule(about),
    createComputePipelineAsync: (about: GPUComputePipelineDescriptor) =>
      device.createComputePipelineAsync(about),
    createBindGroup: (about: GPUBindGroupDescriptor) => device.createBindGroup(about),
  } as unknown as GPUDevice
  const { matrix } = packMatrix(device, normals(1, 64), 8, 8, { format: 'f32' })
  const step = uploadStep(device, withoutRoles(mixedRows(1, 1)))
  const tensors = {
    step,
    x: uploadRows(device, normals(2, 8), 8, 32, 'x'),
    y: uploadTensor(device, [1, 8], new Float32Array(8), 'y'),
  }
  const parts = { adapter: noAdapter(device), count: 1, aOffset: 0, aPartStride: 0 }
  const labelOn = async (on: GPUDevice): Promise<string> =>
    (
      await project({ device: on, isSoftware: true, tuning: EMULATED }, matrix, parts, tensors, {
        rows: 'many',
      })
    ).label
  expect(await labelOn(bare)).toBe('project_tile')
  expect(await labelOn(device)).toBe(device.features.has('subgroups') ? 'project_direct' : 'project_tile')
})
