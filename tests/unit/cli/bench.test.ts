import { expect, test } from 'vitest'

import { CASES, FLOORS, formatTable, ratioOf, rowOf } from '../../../src/cli/bench/report.ts'
import { promptIds } from '../../../src/bench/prompts.ts'
import { normalisedError } from '../../../src/model/decoder/logits.ts'
import {
  inTurn,
  interleave,
  interleavePaired,
  median,
  quartiles,
  roundsWithin,
  timeTokens,
} from '../../../src/bench/timing.ts'

async function* twoTokens(): AsyncGenerator<number> {
  yield 7
  yield 8
}

const about = { model: 'starter', type: 'f16' }

const measureOf = (values: number[]) => async () => values.shift()!

test('the median is the middle value, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([10, 2, 4, 100])).toBe(7)
  expect(median([3])).toBe(3)
  expect(median([])).toBeNaN()
})

test('rounds go A-B-B-A and give the medians of both sides', async () => {
  const order: string[] = []
  const measure = (name: string, values: number[]) => async () => {
    order.push(name)
    return values.shift()!
  }
  const medians = await interleave(2, measure('A', [1, 2, 3, 4]), measure('B', [10, 10, 30, 40]))
  expect(order.join('')).toBe('ABBAABBA')
  expect(medians).toEqual([2.5, 20])
})

test('sides of any number go there and back in every round', async () => {
  const order: string[] = []
  const side = (name: string) => async () => order.push(name)
  const times = await inTurn(2, [side('A'), side('B'), side('C')])
  expect(order.join('')).toBe('ABCCBAABCCBA')
  expect(times).toEqual([
    [1, 6, 7, 12],
    [2, 5, 8, 11],
    [3, 4, 9, 10],
  ])
})

test('half of the values lie between the outer two of three', () => {
  expect(quartiles([9, 1, 2, 8, 5])).toEqual([2, 5, 8])
  expect(quartiles([3])).toEqual([3, 3, 3])
})

test('rounds compared one by one give the median of their ratios, and the half around it', async () => {
  // Ratios 2, 4, 1 and 3.
  const paired = await interleavePaired(
    4,
    measureOf([5, 5, 1, 1, 20, 20, 2, 4]),
    measureOf([10, 10, 2, 6, 20, 20, 9, 9]),
  )
  expect(paired).toEqual({ own: 4.5, others: 9.5, ratio: 2.5, ratioLow: 2, ratioHigh: 3 })
})

test('slow cases get fewer rounds, but one at least', () => {
  expect(roundsWithin(1000, 10, 5)).toBe(5)
  expect(roundsWithin(1000, 300, 5)).toBe(3)
  expect(roundsWithin(1000, 5000, 5)).toBe(1)
})

test('a stream is timed to its end and keeps its tokens', async () => {
  const { ids, firstTokenMs, tokenMs, middleTokenMs } = await timeTokens(twoTokens)
  expect(ids).toEqual([7, 8])
  expect(firstTokenMs).toBeGreaterThanOrEqual(0)
  expect(tokenMs).toBeGreaterThanOrEqual(0)
  // With two tokens there is one gap, which is the mean and the middle.
  expect(middleTokenMs).toBe(tokenMs)
})

test('a ratio says how many times as good ours is, in either unit', () => {
  expect(ratioOf(30, 10, 'tokens/s')).toBe(3)
  expect(ratioOf(10, 30, 'ms')).toBe(3)
})

test('a row has every key of the report and four significant digits', () => {
  const row = rowOf('decode', about, {
    ours: 123.456,
    rival: 100.04,
    unit: 'tokens/s',
    rivalName: 'onnxruntime',
    nmse: 1.23456e-9,
  })
  expect(row).toEqual({
    case: 'decode',
    model: 'starter',
    type: 'f16',
    ours: 123.5,
    rival: 100,
    ratio: 1.234,
    unit: 'tokens/s',
    floor: 1.3,
    rivalName: 'onnxruntime',
    nmse: 1.235e-9,
  })
})

test('a ratio of rounds stands before that of the medians, and the table tells its spread', () => {
  const row = rowOf('lora-overhead', about, {
    ours: 90,
    rival: 100,
    ratio: 0.95123,
    ratioLow: 0.94,
    ratioHigh: 0.96,
    rounds: 24,
    unit: 'tokens/s',
    rivalName: 'it',
  })
  expect(row.ratio).toBe(0.9512)
  expect(formatTable('some device', [row])).toContain(
    'lora-overhead: half of 24 rounds have a ratio from 0.94 to 0.96',
  )
})

test('a case that could not run says so instead of a ratio', () => {
  const row = rowOf('prefill-1024', about, { unit: 'tokens/s', rivalName: 'onnxruntime', note: 'too long' })
  expect(row).toMatchObject({ ours: null, rival: null, ratio: null, note: 'too long' })
})

test('every case has a floor, and the table shows every row with its note', () => {
  const rows = CASES.map((name) => rowOf(name, about, { unit: 'ms', rivalName: 'it', ours: 1, rival: 2 }))
  const noted = { ...rows[0]!, note: 'mind this' }
  const table = formatTable('some device', [noted, ...rows.slice(1)])
  const lines = table.split('\n')
  expect(lines[0]).toBe('starter, f16, on some device')
  for (const name of CASES) {
    const line = lines.find((text) => text.startsWith(`${name} `))
    expect(line).toContain(`≥ ${FLOORS[name]}`)
  }
  expect(lines).toContain(`${CASES[0]}: mind this`)
})

test('prompts of different seeds share no first token, those of one seed are the same', () => {
  expect(promptIds(8, 4096, 3)).toEqual(promptIds(8, 4096, 3))
  const firsts = Array.from({ length: 50 }, (_, seed) => promptIds(8, 4096, seed)[0])
  expect(new Set(firsts).size).toBe(50)
})

test('the error is relative to the reference, and values that are no numbers are never close', () => {
  expect(normalisedError(Float32Array.of(1, 2), Float32Array.of(1, 2))).toBe(0)
  expect(normalisedError(Float32Array.of(0, 2), Float32Array.of(1, 2))).toBeCloseTo(0.2)
  expect(normalisedError(Float32Array.of(NaN, 2), Float32Array.of(1, 2)) <= 1).toBe(false)
  expect(normalisedError(Float32Array.of(1), Float32Array.of(1, 2)) <= 1).toBe(false)
})
