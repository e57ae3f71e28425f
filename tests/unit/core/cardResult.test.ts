import { expect, test } from 'vitest'

import { floorMilliseconds, readCardResult } from '../../../src/core/cardResult.ts'

const sent = import.meta.glob<unknown>('../../../docs/cards/*.json', { eager: true, import: 'default' })

const row = {
  case: 'decode-128',
  side: 'bare',
  unit: 'tokens/s',
  median: 100,
  low: 90,
  high: 110,
  rounds: 5,
}
const model = {
  name: 'tiny',
  type: '4-bit blocks of 32',
  parameters: 1000,
  weightBytes: 500,
  dispatchesPerToken: 23,
  rows: [row],
  nmse: null,
  rivalNote: 'none',
}
const result = {
  kind: 'hycora card',
  version: 1,
  date: '2026-11-30',
  commit: '',
  device: { vendor: 'a', architecture: '', device: '', driver: '' },
  isSoftware: false,
  browser: 'Node',
  tuning: {},
  floor: { copyBytesPerSecond: 1e9, dispatchMicroseconds: 4 },
  models: [model],
}

test('a result is read as it was written', () => {
  expect(readCardResult(structuredClone(result), 'it')).toEqual(result)
  const leftOut = { ...row, median: null, low: null, high: null, rounds: 0, note: 'too long' }
  const withKernels = {
    ...model,
    rows: [leftOut],
    kernels: [{ kernel: 'a', dispatches: 1, microseconds: 2 }],
  }
  expect(readCardResult({ ...result, models: [withKernels] }, 'it').models[0]?.rows).toEqual([leftOut])
})

test.each<readonly [string, unknown]>([
  ['is no result of hycora bench --card', null],
  ['is no result of hycora bench --card', { ...result, kind: 'another' }],
  ['has a commit that is no string', { ...result, commit: 7 }],
  ['has a driver that is no string', { ...result, device: { ...result.device, driver: null } }],
  ['has a dispatchMicroseconds that is no number', { ...result, floor: { copyBytesPerSecond: 1 } }],
  [
    'has a copyBytesPerSecond that is not finite',
    { ...result, floor: { ...result.floor, copyBytesPerSecond: NaN } },
  ],
  ['has a models that is no list of objects', { ...result, models: [1] }],
  ['has an unknown case', { ...result, models: [{ ...model, rows: [{ ...row, case: 'decode-7' }] }] }],
  ['has an unknown side', { ...result, models: [{ ...model, rows: [{ ...row, side: 'toString' }] }] }],
  ['has a low that is no number', { ...result, models: [{ ...model, rows: [{ ...row, low: null }] }] }],
  ['has a note that is no string', { ...result, models: [{ ...model, rows: [{ ...row, median: null }] }] }],
  ['has a kernel that is no string', { ...result, models: [{ ...model, kernels: [{ dispatches: 1 }] }] }],
])('one that %s is refused', (what, broken) => {
  expect(() => readCardResult(broken, 'it')).toThrow(`it ${what}`)
})

test('the floor of a token is its bytes and its dispatches', () => {
  expect(floorMilliseconds(readCardResult(result, 'it'), 3e6, 250)).toBeCloseTo(3 + 1, 12)
})

test('all that were sent are such results, and name what they ran on', () => {
  expect(Object.keys(sent).length).toBeGreaterThan(0)
  for (const [path, value] of Object.entries(sent)) {
    const { device, models, commit } = readCardResult(value, path)
    expect(device.vendor).not.toBe('')
    expect(commit).toMatch(/^[\da-f]{40}$/)
    expect(models.length).toBeGreaterThan(0)
  }
})
