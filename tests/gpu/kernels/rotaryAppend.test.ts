import { describe, expect, test } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { uploadTensor } from '../../../src/gpu/tensor.ts'
import type { AdapterBinding } from '../../../src/kernels/operands/adapterBinding.ts'
import { rotaryAppend } from '../../../src/kernels/rotaryAppend.ts'
import type { StepRow } from '../../../src/kernels/operands/stepRows.ts'
import { rotaryAppendCases } from '../../cases/rotaryAppend.ts'
import type { RotaryAppendCase } from '../../cases/rotaryAppend.ts'
import { rotaryReference } from '../../reference/rotaryAppend.ts'
import { halvesToFloats } from '../../../src/core/half.ts'
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
  words = shape.headDim,
): Promise<{ query: Float32Array; cache: Float32Array; capacity: number }> {
  const { heads, kvHeads, headDim, position } = shape
  const capacity = position + rows.length + 2
  const joined = joinColumns(rows.length, [
    ...parts.map((part) => part.values),
    ...parts.map((part) => part.u),
  ])
  const width = joined.length / rows.length
  const query = createGuarded(device, [rows.length, heads * headDim], 'query')
  const cache = createGuarded(device, [SEQUENCES, 2, kvHeads, capacity, words], 'cache')
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

/** Keys and values of the rows, in the order of sequences, heads, rows and dimensions; all others must not be touched. */
function appendedOf(
  { kvHeads, headDim, position }: RotaryAppendCase,
  rows: readonly StepRow[],
  { cache, capacity }: { cache: Float32Array; capacity: number },
): number[][] {
  const bits = new Uint32Array(cache.buffer, cache.byteOffset, cache.length)
  const words = bits.length / (SEQUENCES * 2 * kvHeads * capacity)
  const appended: number[][] = [[], []]
  const others: number[] = []
  for (let first = 0; first < bits.length; first += words) {
    const place = first / words
    const row = (place % capacity) - position
    const part = Math.floor(place / capacity / kvHeads) % 2
    const own = bits.slice(first, first + words)
    const isOfRow = rows[row]?.sequence === Math.floor(place / capacity / kvHeads / 2)
    const values =
      words < headDim ? halvesToFloats(new Uint16Array(own.buffer)) : new Float32Array(own.buffer)
    if (isOfRow) appended[part]!.push(...values)
    else others.push(...own)
  }
  expect(new Set(others)).toEqual(new Set([0xdeadbeef]))
  return appended
}

/** What a reference gives by rows, in the same order. */
function inOrder(
  { kvHeads, headDim }: RotaryAppendCase,
  rows: readonly StepRow[],
  values: Float64Array,
): number[] {
  const places = Array.from({ length: SEQUENCES }, (_, sequence) => sequence).flatMap((sequence) =>
    Array.from({ length: kvHeads }, (_, head) => head).flatMap((head) =>
      rows.flatMap((row, index) => (row.sequence === sequence ? [(index * kvHeads + head) * headDim] : [])),
    ),
  )
  return places.flatMap((from) => [...values.subarray(from, from + headDim)])
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

      const wanted = [keys!, values!].map((part) => inOrder(shape, rows, part))
      const floats = appendedOf(shape, rows, actual)
      floats.forEach((part, index) => expectClose(part, wanted[index]!))

      // In halves the nearest, on drivers that cut numbers off the one below.
      const rounded = await run(shape, rows, parts, adapter, offsets, headDim / 2)
      expectSameBits(rounded.query, actual.query)
      appendedOf(shape, rows, rounded).forEach((part, index) => expectClose(part, wanted[index]!, 2 ** -20))
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

test('numbers that halves do not reach become the largest', async () => {
  const shape = rotaryAppendCases[1]!
  const rows = mixedRows(1, 1, 0).map((row) => ({ ...row, sequence: 0, scale: 0 }))
  const parts = prepare({ ...shape, rows: 1 }).map((part) => ({
    ...part,
    values: part.values.map(() => -1e6),
  }))
  const { adapter, offsets } = adapterUp(device, { ...shape, widths: widthsOf(shape) })
  const one = { ...shape, rows: 1, position: 0 }
  const [, values] = appendedOf(one, rows, await run(one, rows, parts, adapter, offsets, shape.headDim / 2))
  expect(new Set(values)).toEqual(new Set([-65_504]))
})

test('dimensions that fill no whole words are refused in halves, and taken as floats', async () => {
  const shape = { ...rotaryAppendCases[8]!, rotaryDim: 10 }
  const { adapter, b, offsets } = adapterUp(device, { ...shape, widths: widthsOf(shape) })
  const rows = mixedRows(shape.rows, shape.slots, shape.position).map((row) => ({ ...row, sequence: 0 }))
  const parts = prepare(shape)
  const running = run(shape, rows, parts, adapter, offsets, shape.headDim / 2)
  await expect(running).rejects.toThrow('10 rotated dimensions fill no whole words')
  const [keys] = appendedOf(shape, rows, await run(shape, rows, parts, adapter, offsets))
  const part = { ...parts[1]!, b: b[1]!, heads: shape.kvHeads }
  const expected = rotaryReference(rows, part, shape.headDim, shape.rank, rotationOf(shape))
  expectClose(keys!, inOrder(shape, rows, expected))
})
