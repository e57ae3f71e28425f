import { beforeAll, describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import type { Dispatch } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import type { Tensor } from '../../../src/gpu/tensor.ts'
import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import { packDropout } from '../../../src/kernels/operands/dropout.ts'
import { loraBackwardA } from '../../../src/kernels/loraBackwardA.ts'
import { loraBackwardB } from '../../../src/kernels/loraBackwardB.ts'
import { loraBackwardUp } from '../../../src/kernels/loraBackwardUp.ts'
import { loraDown } from '../../../src/kernels/loraDown.ts'
import { loraCases } from '../../cases/lora.ts'
import { dropoutReference } from '../../reference/dropout.ts'
import {
  loraBackwardAReference,
  loraBackwardBReference,
  loraBackwardUpReference,
} from '../../reference/loraBackward.ts'
import { loraDownReference } from '../../reference/loraDown.ts'
import { adaptedGroup } from '../../support/adaptedGroup.ts'
import { expectSameBits, nmse } from '../../support/compare.ts'
import { testDevice, testGpu } from '../../support/device.ts'
import { createGuarded, expectUntouched, readGuarded } from '../../support/guarded.ts'
import { columnsOf, joinColumns, uploadRows, writeRows } from '../../support/rows.ts'
import { mixedRows, uploadStep } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const TOLERANCE = 1e-10
const SALT = 17

/** Of each slot, or of all together. */
const summed = (gradients: readonly Float64Array[][], isShared: boolean): Float64Array[][] =>
  gradients.map((inPart) =>
    isShared
      ? [inPart[0]!.map((_, index) => inPart.reduce((sum, matrix) => sum + matrix[index]!, 0))]
      : [...inPart],
  )

const expectGradients = (actual: readonly Float32Array[][], expected: readonly Float64Array[][]): void => {
  actual.forEach((inPart, part) =>
    inPart.forEach((matrix, slot) => {
      expect(nmse(matrix, expected[part]![slot]!)).toBeLessThanOrEqual(TOLERANCE)
    }),
  )
}

const PLANS = ['tile', 'direct'] as const

describe.each(loraCases.flatMap((shape) => PLANS.map((plan) => ({ ...shape, plan }))))(
  '$plan: [$rows, $in] to $widths, rank $rank, $slots slots, shared A $sharesA, B $sharesB, dropout $probability, seed $seed',
  (shape) => {
    let gpu: TunedDevice
    beforeAll(async () => {
      gpu = await testGpu({ manyRows: shape.plan })
    })
    const { rows: count, in: inFeatures, widths, rank, slots, probability, seed } = shape
    const rows = mixedRows(count, slots).toSorted((one, other) => one.slot - other.slot)
    const parts = widths.length
    const out = widths.reduce((sum, width) => sum + width, 0)
    const width = out + parts * rank
    const stride = width + 3
    const layer = { inFeatures, out, salt: SALT, slots }
    const drop = dropoutReference(count, inFeatures, { seed, salt: SALT, probability })
    const x = normals(seed + 100, count * inFeatures)
    const dy = normals(seed + 101, count * out)
    const low = normals(seed + 102, count * parts * rank)

    const uploads = () => ({
      step: uploadStep(device, rows),
      x: uploadRows(device, x, inFeatures, inFeatures + 1, 'x'),
      dropout: uploadTensor(device, [4], new Float32Array(packDropout(seed, probability)), 'dropout'),
    })

    /** Runs a kernel that writes the columns of the rank into a guarded matrix whose other columns hold `beside`. */
    const runLow = async (
      beside: Float32Array,
      bind: (matrix: Tensor) => Promise<Dispatch>,
    ): Promise<Float32Array> => {
      const matrix = createGuarded(device, [count, stride], 'matrix')
      writeRows(device, matrix, beside, out)
      submit(device, [await bind(matrix)], count)
      const all = await readGuarded(device, matrix)
      expectSameBits(columnsOf(all, stride, 0, out), beside)
      const spare = columnsOf(all, stride, width, 3)
      expectUntouched(spare)
      return columnsOf(all, stride, out, parts * rank)
    }

    /** Runs a kernel that adds to a guarded buffer twice; gives what each added, and what it held between the matrices. */
    const runAdding = async (
      size: number,
      isShared: boolean,
      places: { readonly at: (part: number, slot: number) => number; readonly sizes: readonly number[] },
      bind: (buffer: Tensor) => Promise<Dispatch>,
    ): Promise<Float32Array[][]> => {
      const before = normals(seed + 103, size, 0.1)
      const buffer = createGuarded(device, [size], 'gradient')
      device.queue.writeBuffer(buffer.buffer, 0, before)
      submit(device, [await bind(buffer)], count)
      const all = await readGuarded(device, buffer)
      const between = new Set(all.keys())
      const added = places.sizes.map((length, part) =>
        Array.from({ length: isShared ? 1 : slots }, (_slot, slot) => {
          const first = places.at(part, slot)
          return Float32Array.from({ length }, (_, index) => {
            between.delete(first + index)
            return all[first + index]! - before[first + index]!
          })
        }),
      )
      expect([...between].every((index) => all[index] === before[index])).toBe(true)
      return added
    }

    test('u', async () => {
      const { group, a } = adaptedGroup(device, shape)
      const u = await runLow(dy, (y) => loraDown(gpu, group, { ...uploads(), y }, layer))
      expect(nmse(u, loraDownReference(rows, x, drop, a, rank))).toBeLessThanOrEqual(TOLERANCE)
    })

    test('gradient of u', async () => {
      const { group, b } = adaptedGroup(device, shape)
      const { step } = uploads()
      const du = await runLow(dy, (matrix) => loraBackwardUp(gpu, group, { step, dy: matrix }))
      expect(nmse(du, loraBackwardUpReference(rows, dy, b, rank))).toBeLessThanOrEqual(TOLERANCE)
    })

    test('gradient of B', async () => {
      const { group, bSize, bAt } = adaptedGroup(device, shape)
      const joined = joinColumns(count, [normals(seed, count * out), low])
      const tensors = {
        step: uploads().step,
        y: uploadRows(device, joined, width, width + 1, 'y'),
        dy: uploadRows(device, dy, out, out + 2, 'dy'),
      }
      const places = { at: bAt, sizes: widths.map((columns) => rank * columns) }
      const added = await runAdding(bSize, shape.sharesB, places, (db) =>
        loraBackwardB(gpu, group, { ...tensors, db }, layer),
      )
      expectGradients(
        added,
        summed(loraBackwardBReference(rows, low, dy, widths, rank, slots), shape.sharesB),
      )
    })

    test('gradient of A', async () => {
      const { group, aSize, aAt } = adaptedGroup(device, shape)
      const joined = joinColumns(count, [dy, low])
      const tensors = { ...uploads(), dy: uploadRows(device, joined, width, width + 1, 'dy') }
      const places = { at: aAt, sizes: widths.map(() => inFeatures * rank) }
      const added = await runAdding(aSize, shape.sharesA, places, (da) =>
        loraBackwardA(gpu, group, { ...tensors, da }, layer),
      )
      const expected = loraBackwardAReference(rows, x, drop, low, { parts, rank, slots })
      expectGradients(added, summed(expected, shape.sharesA))
    })
  },
)
