import { readFileSync } from 'node:fs'

import { beforeAll, describe, expect, test } from 'vitest'

import type { PackConfig, PackProjection } from '../../../src/formats/packConfig.ts'
import { contrastLoss } from '../../reference/contrast.ts'
import { generateA, type Parameters } from '../../reference/hypernetwork.ts'
import { readTensors, type ReadTensor } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'

const GOLDEN = new URL('../../fixtures/hypernetworkGolden.json', import.meta.url)

describe.skipIf(!hasShared)("against the authors' code in float64", () => {
  let tensors: ReadonlyMap<string, ReadTensor>
  let params: Parameters
  let order: unknown
  const dims: readonly (readonly [PackProjection, readonly [number, number]])[] = [
    ['q', [48, 48]],
    ['k', [48, 24]],
    ['v', [48, 24]],
    ['o', [48, 48]],
    ['up', [48, 112]],
    ['down', [112, 48]],
    ['gate', [48, 112]],
  ]
  const config: PackConfig = {
    rank: 4,
    alpha: 16,
    layers: 2,
    projections: dims.map(([projection]) => projection),
    dims: new Map(dims),
    sources: { A: 'hyper', B: 'shared' },
    roleEmbedding: 16,
    hypernetwork: {
      layerEmbedding: 12,
      hidden: 40,
      residualBlocks: 2,
      generatorRank: 28,
      layernormInput: true,
      layernormOutput: true,
    },
  }

  beforeAll(async () => {
    const golden = await readTensors(sharedPath('golden/hypernet.safetensors'))
    tensors = golden.tensors
    order = JSON.parse(golden.metadata.get('order') ?? '')
    params = new Map(
      [...tensors].flatMap(([name, { values }]) =>
        name.startsWith('param.') ? [[name.slice('param.'.length), values] as const] : [],
      ),
    )
  })

  test('the layer ids go through the projections in this order', () => {
    expect(order).toEqual(config.projections)
  })

  test.each(dims.map(([projection]) => projection))('A of %s for every role and layer', (projection) => {
    const index = config.projections.indexOf(projection)
    for (let layer = 0; layer < config.layers; layer++) {
      const expected = tensors.get(`io.layers.${layer}.${projection}.A_all_roles`)!
      const size = expected.values.length / 5
      for (let role = 0; role < 5; role++) {
        const matrix = generateA(params, config, role, index * config.layers + layer)
        const golden = expected.values.subarray(role * size, (role + 1) * size)
        expect(largestDifference(matrix, golden)).toBeLessThan(1e-12)
      }
    }
  })

  test('the adapted projection y = x·Wᵀ + (α/r)·(x·A)·B', () => {
    const roleIds = [...tensors.get('role_ids')!.values]
    const stem = 'io.layers.1.down'
    const read = (name: string) => tensors.get(`${stem}.${name}`)!.values
    const [x, w, b, y] = [read('x'), read('w'), read('lora_B'), read('y')]
    const [inSize, outSize, tokens] = [112, 48, 5]
    let worst = 0
    for (let row = 0; row < roleIds.length * tokens; row++) {
      const a = generateA(params, config, roleIds[Math.floor(row / tokens)]!, 5 * config.layers + 1)
      for (let o = 0; o < outSize; o++) {
        let sum = 0
        for (let i = 0; i < inSize; i++) {
          const value = x[row * inSize + i]!
          sum += value * w[o * inSize + i]!
          for (let r = 0; r < config.rank; r++) {
            sum += (config.alpha / config.rank) * value * a[i * config.rank + r]! * b[r * outSize + o]!
          }
        }
        worst = Math.max(worst, Math.abs(sum - y[row * outSize + o]!))
      }
    }
    expect(worst).toBeLessThan(1e-10)
  })

  test('the contrastive loss', () => {
    const roleIds = [...tensors.get('role_ids')!.values]
    const loss = contrastLoss(params, tensors.get('contrast.pooled')!.values, roleIds, 0.1)
    expect(loss).toBeCloseTo(tensors.get('contrast.loss')!.values[0]!, 12)
  })

  test('λ is a half-cosine from 0.3 to 5 epochs', () => {
    const epochs = tensors.get('lambda.epoch')!.values
    const expected = tensors.get('lambda.value')!.values
    const lambdas = epochs.map((epoch) =>
      epoch < 0.3 ? 0 : 0.15 * (1 - Math.cos((Math.PI * (epoch - 0.3)) / (5 - 0.3))),
    )
    expect(largestDifference(lambdas, expected)).toBeLessThan(1e-12)
  })
})

test('our own golden is what the reference gives (seed 1)', () => {
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as { matrices: Record<string, number[]> }
  const params = parametersOf(tinyPack())
  const config = tinyConfig()
  const names: string[] = []
  for (let role = 0; role < 3; role++) {
    for (const [index, projection] of config.projections.entries()) {
      for (let layer = 0; layer < config.layers; layer++) {
        const name = `${role}.layers.${layer}.${projection}.A`
        const matrix = generateA(params, config, role, index * config.layers + layer)
        expect(largestDifference(matrix, golden.matrices[name] ?? [])).toBeLessThan(1e-9)
        names.push(name)
      }
    }
  }
  expect(Object.keys(golden.matrices).toSorted()).toEqual(names.toSorted())
})

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length)
  return Array.from(actual, (value, i) => Math.abs(value - expected[i]!)).reduce((a, b) => Math.max(a, b), 0)
}
