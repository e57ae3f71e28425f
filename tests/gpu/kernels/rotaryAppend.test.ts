import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import type { AdapterBinding } from '../../../src/kernels/operands/adapterBinding.ts'
import { rotaryAppend } from '../../../src/kernels/rotaryAppend.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { rotaryAppendCases } from '../../cases/rotaryAppend.ts'
import type { RotaryAppendCase } from '../../cases/rotaryAppend.ts'
import { rotaryReference } from '../../reference/rotaryAppend.ts'
import { adapterUp, noAdapter } from '../../support/adapter.ts'
import { angleTable } from '../../support/angleTable.ts'
import { expectClose, expectSameBits } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { joinColumns, uploadRows } from '../../support/rows.ts'
import { mixedRows, uploadStep, withoutRoles } from '../../support/step.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const empty = new Float32Array()

/** The rows take turns. */
const SEQUENCES = 2

function widthsOf({ heads, kvHeads, headDim }: RotaryAppendCase): [number, number, number] {
  return [heads * headDim, kvHeads * headDim, kvHeads * headDim]
}

/** Values, bias and u of q, k and v. */
function prepare(shape: RotaryAppendCase) {
  return widthsOf(shape).map((width, part) => ({
    values: normals(shape.seed + part, shape.rows * width),
    bias: normals(shape.seed + 3 + part, width),
    u: normals(shape.seed + 6 + part, shape.rows * shape.rank),
  }))
}

function rotationOf({ theta, headDim, rotaryDim = headDim, isInterleaved = false }: RotaryAppendCase) {
  return { theta, dim: rotaryDim, isInterleaved }
}

async function run(
  shape: RotaryAppendCase,
  rows: readonly StepRow[],
  parts: ReturnType<typeof prepare>,
  adapter: AdapterBinding,
  [q, k, v]: readonly number[],
): Promise<{ query: Float32Array; cache: Float32Array; capacity: number }> {
  const { heads, kvHeads, headDim, position } = shape
  const capacity = position + rows.length + 2
  const joined = joinColumns(rows.length, [
    ...parts.map((part) => part.values),
    ...parts.map((part) => part.u),
  ])
  const width = joined.length / rows.length
  const query = createGuarded(device, [rows.length, heads * headDim], 'query')
  const cache = createGuarded(device, [SEQUENCES, 2, kvHeads, capacity, headDim], 'cache')
  const bias = joinColumns(
    1,
    parts.map((part) => part.bias),
  )
  const angles = angleTable(rotationOf(shape), capacity)
  const tensors = {
    step: uploadStep(device, rows),
    qkv: uploadRows(device, joined, width, width + 1, 'qkv'),
    bias: uploadTensor(device, [bias.length], bias, 'bias'),
    angles: uploadTensor(device, angles.shape, angles.values, 'angles'),
    query,
    cache,
  }
  const bOffsets = { q: q!, k: k!, v: v! }
  const dispatch = await rotaryAppend(
    device,
    { heads, kvHeads, headDim, capacity, rotation: rotationOf(shape) },
    adapter,
    tensors,
    bOffsets,
  )
  submit(device, [dispatch], rows.length)
  return { query: await readGuarded(device, query), cache: await readGuarded(device, cache), capacity }
}

describe.each(rotaryAppendCases)(
  '$heads/$kvHeads heads of $headDim, $rows rows from position $position, rank $rank, $slots slots, seed $seed',
  (shape) => {
    const { heads, kvHeads, headDim, rank } = shape
    const rows = mixedRows(shape.rows, shape.slots, shape.position).map((row, index) => ({
      ...row,
      sequence: index % SEQUENCES,
    }))

    test('rotates queries, appends keys and values, touches nothing else', async () => {
      const parts = prepare(shape)
      const { adapter, b, offsets } = adapterUp(device, { ...shape, widths: widthsOf(shape) })
      const actual = await run(shape, rows, parts, adapter, offsets)
      const [query, keys, values] = parts.map((part, index) =>
        rotaryReference(
          rows,
          { ...part, b: b[index]!, heads: index === 0 ? heads : kvHeads },
          headDim,
          rank,
          index === 2 ? null : rotationOf(shape),
        ),
      )
      expectClose(actual.query, query!)

      const bits = new Uint32Array(actual.cache.buffer, 0, actual.cache.length)
      const appended: number[][] = [[], []]
      const wanted: number[][] = [[], []]
      const others = new Set<number>()
      for (let index = 0; index < actual.cache.length; index++) {
        const dimension = index % headDim
        const row = (Math.floor(index / headDim) % actual.capacity) - shape.position
        const head = Math.floor(index / headDim / actual.capacity) % kvHeads
        const half = Math.floor(index / headDim / actual.capacity / kvHeads) % 2
        const sequence = Math.floor(index / headDim / actual.capacity / kvHeads / 2)
        if (rows[row]?.sequence !== sequence) {
          others.add(bits[index]!)
          continue
        }
        appended[half]!.push(actual.cache[index]!)
        wanted[half]!.push((half === 0 ? keys! : values!)[(row * kvHeads + head) * headDim + dimension]!)
      }
      expectClose(appended[0]!, wanted[0]!)
      expectClose(appended[1]!, wanted[1]!)
      expect(others).toEqual(new Set([0xdeadbeef]))
    })

    test('without roles all equals the bare backbone, bit for bit', async () => {
      const parts = prepare(shape)
      const { adapter, offsets } = adapterUp(device, { ...shape, widths: widthsOf(shape) })
      const bareParts = parts.map((part) => ({ ...part, u: empty }))
      const bare = await run(shape, rows, bareParts, noAdapter(device), [0, 0, 0])
      const silent = await run(shape, withoutRoles(rows), parts, adapter, offsets)
      expectSameBits(silent.query, bare.query)
      expectSameBits(silent.cache, bare.cache)
    })
  },
)

test('angles that are not those of the rotated dimensions are refused', async () => {
  const shape = { ...rotaryAppendCases[1]!, rotaryDim: 18 }
  const { adapter, offsets } = adapterUp(device, { ...shape, widths: widthsOf(shape) })
  const rows = mixedRows(shape.rows, shape.slots, shape.position)
  const running = run(shape, rows, prepare(shape), adapter, offsets)
  await expect(running).rejects.toThrow('18 of 16 dimensions of a head are rotated by 9 angles')
})
