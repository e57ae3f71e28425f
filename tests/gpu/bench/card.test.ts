import { expect, test } from 'vitest'

import { measureCard } from '../../../src/bench/measureCard.ts'
import type { CardPlace, CardRequest } from '../../../src/bench/measureCard.ts'
import { RANDOM_SHAPES, randomDecoder } from '../../../src/bench/randomModel.ts'
import { readCardResult } from '../../../src/core/cardResult.ts'
import type { CardResult } from '../../../src/core/cardResult.ts'
import { readMatrix } from '../../../src/model/decoder/dequantise.ts'
import { ownGpu } from '../../support/device.ts'

const place: CardPlace = {
  openDevice: async (features) => ({
    ...(await ownGpu(features)),
    names: { vendor: 'test', architecture: '', device: '', description: '' },
  }),
  openServed: () => Promise.reject(new Error('no model is served here')),
  browser: 'a test',
  commit: 'abc',
}
const small = { models: ['tiny'], rounds: 1, tokens: 2 } as const

async function measured(request: CardRequest): Promise<{ result: CardResult; told: string[] }> {
  const told: string[] = []
  const measuring = measureCard(place, request)
  for (;;) {
    const { done, value } = await measuring.next()
    if (done) return { result: readCardResult(structuredClone(value), 'the result'), told }
    told.push(value.case)
  }
}

test('a card is measured with a model that is made on the spot', async () => {
  const cases = ['decode-128', 'switch', 'generate'] as const
  const { result, told } = await measured({ ...small, cases, isByKernel: false })
  expect(told).toEqual(['cold-start', ...cases])
  const [model] = result.models
  expect(model?.rows.map((row) => [row.case, row.side, row.rounds])).toEqual([
    ['decode-128', 'bare', 2],
    ['decode-128', 'role', 2],
    ['switch', 'role', 2],
    ['generate', 'role', 2],
  ])
  for (const row of model?.rows ?? []) expect(row.median).toBeGreaterThan(0)
  expect(result.floor.copyBytesPerSecond).toBeGreaterThan(0)
  expect(result.floor.dispatchMicroseconds).toBeGreaterThan(0)
})

test('kernels are timed one by one, each dispatch counted', async () => {
  const { result, told } = await measured({ ...small, cases: [], isByKernel: true })
  expect(told).toEqual(['kernels'])
  const [model] = result.models
  const dispatches = model?.kernels?.map((kernel) => kernel.dispatches) ?? []
  expect(dispatches.reduce((sum, count) => sum + count, 0)).toBe(model?.dispatchesPerToken)
  expect(model?.kernels?.some(({ microseconds }) => microseconds > 0)).toBe(true)
})

test('random weights are spread about zero, those of each matrix for themselves', async () => {
  const { linears } = randomDecoder(RANDOM_SHAPES.tiny).blocks[0]!
  const [q, o] = await Promise.all([readMatrix(linears.q.weight), readMatrix(linears.o.weight)])
  const variance = q.reduce((sum, value) => sum + value ** 2, 0) / q.length
  expect(Math.abs(Math.sqrt(variance * linears.q.weight.in) - 1)).toBeLessThan(0.1)
  expect(q).not.toEqual(o)
})
