import { describe, expect, test } from 'vitest'

import { memorySource } from '../../../src/formats/memorySource.ts'
import { readPack, writePack } from '../../../src/formats/pack.ts'
import type { PackConfig } from '../../../src/formats/packConfig.ts'
import { initialTensors, packTensors, withNewRole } from '../../../src/train/parameters/initialise.ts'
import { generateA, generateB, generatorCode } from '../../reference/hypernetwork.ts'
import { expectSameBits } from '../../support/compare.ts'
import { tinyConfig, tinyPack } from '../../support/tinyPack.ts'

const hasHeads = true

function meanOf(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length
}

function spreadOf(values: ArrayLike<number>): number {
  const mean = meanOf(values)
  return Math.sqrt(meanOf(Array.from(values, (value) => (value - mean) ** 2)))
}

/** The tiny configuration with wider encoder and tables, so that averages are averages. */
function widerConfig(options: Parameters<typeof tinyConfig>[0] = {}): PackConfig {
  const config = tinyConfig(options)
  const { hypernetwork } = config
  return {
    ...config,
    roleEmbedding: 64,
    hypernetwork: hypernetwork && { ...hypernetwork, layerEmbedding: 48, hidden: 40, generatorRank: 16 },
  }
}

describe('a fresh hyper-network, seed 1', () => {
  const roles = 6
  const config = widerConfig({ A: 'hyper+static', B: 'hyper', layers: 3 })
  const tensors = initialTensors(config, roles, { hasHeads, seed: 1 })

  test.each(config.projections.map((projection, index) => [projection, index] as const))(
    'generates A of %s with the standard deviation 1/√(3·in), averaged over roles and layers',
    (projection, index) => {
      const zeroStatic = new Map(
        [...tensors].map(([name, values]) => [name, name.endsWith('lora_A0') ? values.map(() => 0) : values]),
      )
      const spreads: number[] = []
      for (let role = 0; role < roles; role++) {
        for (let layer = 0; layer < config.layers; layer++) {
          spreads.push(spreadOf(generateA(zeroStatic, config, role, index * config.layers + layer)))
        }
      }
      const target = 1 / Math.sqrt(3 * config.dims.get(projection)![0])
      expect(meanOf(spreads) / target).toBeCloseTo(1, 5)
    },
  )

  test('gives the codes of a generator of A no common part, summed over roles and layers', () => {
    config.projections.forEach((projection, index) => {
      const codes: number[][] = []
      for (let role = 0; role < roles; role++) {
        for (let layer = 0; layer < config.layers; layer++) {
          const layerId = index * config.layers + layer
          codes.push([...generatorCode(tensors, config, role, layerId, `${projection}_down_linear`)])
        }
      }
      const common = codes[0]!.map((_, i) => meanOf(codes.map((code) => code[i]!)))
      expect(Math.max(...common.map(Math.abs))).toBeLessThan(1e-6)
      expect(spreadOf(codes.flat())).toBeGreaterThan(0.1)
    })
  })

  test('generates B = 0', () => {
    expect(generateB(tensors, config, 3, 7).every((value) => value === 0)).toBe(true)
  })

  test('has embeddings of a normal distribution cut at ±2', () => {
    const table = tensors.get('roles_emb.weight')!
    expect(Math.max(...table.map(Math.abs))).toBeLessThanOrEqual(2)
    // The standard deviation of a normal distribution cut at ±2 is 0.88.
    expect(spreadOf(table)).toBeGreaterThan(0.8)
    expect(spreadOf(table)).toBeLessThan(0.96)
    expect(Math.abs(meanOf(table))).toBeLessThan(0.1)
  })

  test('has Xavier-uniform linears, norms that do nothing and, but for the codes of A, biases of 0', () => {
    const bound = Math.sqrt(6 / (40 + 40))
    const weight = tensors.get('hypernet_encoder.layers.1.fc1.weight')!
    const largest = Math.max(...weight.map(Math.abs))
    expect(largest).toBeLessThanOrEqual(bound)
    expect(largest).toBeGreaterThan(0.98 * bound)
    expect(Math.abs(spreadOf(weight) / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.03)
    expect(new Set(tensors.get('hypernet_encoder.norm_output.weight'))).toEqual(new Set([1]))
    const biases = [...tensors].filter(([name]) => /(?<!_down_linear\.down)\.bias$/.test(name))
    expect(biases.every(([, values]) => values.every((value) => value === 0))).toBe(true)
  })

  test('has a static A of the same standard deviation', () => {
    const all = [0, 1, 2].flatMap((layer) => [...tensors.get(`layers.${layer}.down.lora_A0`)!])
    expect(Math.abs(spreadOf(all) * Math.sqrt(3 * 12) - 1)).toBeLessThan(0.15)
    expect(Math.max(...all.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(12))
  })

  test('is the same for the same seed, another for another', () => {
    const again = initialTensors(config, roles, { hasHeads, seed: 1 })
    const other = initialTensors(config, roles, { hasHeads, seed: 2 })
    for (const [name, values] of tensors) expectSameBits(again.get(name)!, values)
    expect(other.get('roles_emb.weight')).not.toEqual(tensors.get('roles_emb.weight'))
  })
})

test('a fresh hyper-network of one role and one layer generates an A that is not 0', () => {
  const config = widerConfig({ A: 'hyper', B: 'shared', layers: 1 })
  const tensors = initialTensors(config, 1, { hasHeads, seed: 1 })
  expect(spreadOf(generateA(tensors, config, 0, 0))).toBeGreaterThan(0)
})

describe.each(['shared', 'table', 'hyper', 'hyper+static'] as const)('A from %s', (A) => {
  test.each(['shared', 'table', 'hyper'] as const)('with B from %s makes a valid pack, B = 0', async (B) => {
    const config = tinyConfig({ A, B })
    const tensors = initialTensors(config, 3, { hasHeads, seed: 4 })
    const content = { ...tinyPack({ A, B }), tensors: packTensors(config, 3, tensors, { hasHeads }) }
    const pack = await readPack(memorySource('pack', await writePack(content)))
    expect(pack.rows).toBe(3)
    const ofB = [...tensors].filter(([name]) => name.includes('lora_B'))
    expect(ofB.every(([, values]) => values.every((value) => value === 0))).toBe(true)
  })
})

describe('a new role', () => {
  test.each([
    ['hyper', 'shared', 3],
    ['table', 'table', 3],
    ['hyper', 'shared', 1],
  ] as const)('beside %s, %s and %i roles is their mean, its vector a little off', (A, B, roles) => {
    const config = widerConfig({ A, B })
    const tensors = initialTensors(config, roles, { hasHeads, seed: 5 })
    const grown = withNewRole(tensors, roles, 6)
    const sizes = packTensors(config, roles + 1, grown, { hasHeads })
    expect(sizes.get('roles_emb.weight')!.shape).toEqual([roles + 1, 64])
    for (const [name, values] of tensors) {
      const after = grown.get(name)!
      expectSameBits(after.slice(0, values.length), values)
      const width = values.length / roles
      const row = after.subarray(values.length)
      const distance = row.map(
        (value, i) => value - meanOf(Array.from({ length: roles }, (_, role) => values[role * width + i]!)),
      )
      const isMean = Math.max(0, ...distance.map(Math.abs)) < 1e-6
      const isNear = spreadOf(distance) > 0.01 && spreadOf(distance) < 0.1
      expect(name === 'roles_emb.weight' ? isNear : isMean || values.length === after.length).toBe(true)
    }
  })

  test('is another one for every role that is added', () => {
    const config = widerConfig()
    const once = withNewRole(initialTensors(config, 3, { hasHeads, seed: 5 }), 3, 6)
    const table = withNewRole(once, 4, 6).get('roles_emb.weight')!
    expect(table.slice(3 * 64, 4 * 64)).not.toEqual(table.slice(4 * 64))
  })
})
