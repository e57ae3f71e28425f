import { describe, expect, test } from 'vitest'

import type { PackConfig, SourceOfA, SourceOfB } from '../../../src/formats/packConfig.ts'
import { readTensor } from '../../../src/gpu/tensor.ts'
import { aOffset, bOffset } from '../../../src/model/adapter/adapterLayout.ts'
import type { AdapterLayout } from '../../../src/model/adapter/adapterLayout.ts'
import { createHypernetworkTraining } from '../../../src/train/gradients/hypernetworkTraining.ts'
import { createParameters } from '../../../src/train/parameters/parameters.ts'
import { generateA, generateB } from '../../reference/hypernetwork.ts'
import type { Parameters } from '../../reference/hypernetwork.ts'
import { hypernetworkBackwardReference, zeroGradients } from '../../reference/hypernetworkBackward.ts'
import { nmse } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { layoutOf, readGradients } from '../../support/parameters.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

const gpu = await testGpu()
const { device } = gpu

/** A matrix of one role from whichever source it has. */
function matrixOf(
  params: Parameters,
  config: PackConfig,
  side: 'A' | 'B',
  role: number,
  layerId: number,
): ArrayLike<number> {
  const source = config.sources[side]
  const projection = config.projections[Math.floor(layerId / config.layers)]!
  const stem = `layers.${layerId % config.layers}.${projection}.lora_${side}`
  if (source === 'shared') return params.get(stem)!
  if (source !== 'table') return (side === 'A' ? generateA : generateB)(params, config, role, layerId)
  const table = Array.from(params.get(`${stem}_table`)!)
  return table.slice((role * table.length) / 3, ((role + 1) * table.length) / 3)
}

/** Where element i of a side's matrix lies in a slot. */
function placeOf(
  layout: AdapterLayout,
  config: PackConfig,
  side: 'A' | 'B',
  layerId: number,
): (i: number) => number {
  const projection = config.projections[Math.floor(layerId / config.layers)]!
  const layer = layerId % config.layers
  if (side === 'B') return (i) => bOffset(layout, projection, layer) + i
  const first = aOffset(layout, projection, layer)
  return (i) => first + Math.floor(i / layout.rank) * layout.paddedRank + (i % layout.rank)
}

const GRID: readonly { readonly A: SourceOfA; readonly B: SourceOfB; readonly bare?: boolean }[] = [
  ...(['shared', 'table', 'hyper', 'hyper+static'] as const).flatMap((A) =>
    (['shared', 'table', 'hyper'] as const).map((B) => ({ A, B })),
  ),
  { A: 'hyper', B: 'shared', bare: true },
]

describe.each(GRID)('A from $A, B from $B, without norms $bare', (options) => {
  const config = tinyConfig(options)
  const layout = layoutOf(config)
  const params = parametersOf(tinyPack(options))
  const ids = config.projections.length * config.layers
  const sides = [
    ['A', layout.aSize],
    ['B', layout.bSize],
  ] as const

  async function prepare(more: { readonly onlyRole?: number } = {}) {
    const parameters = createParameters(device, {
      config,
      layout,
      roles: 3,
      hasHeads: true,
      hasContrast: true,
      ...more,
    })
    parameters.load((name) => params.get(name)!)
    const training = await createHypernetworkTraining(gpu, { config, layout, parameters, capacity: 3 })
    return { parameters, training }
  }

  test('two runs of two roles: slots, and the gradients of all parameters together', async () => {
    const { parameters, training } = await prepare()
    const expected = zeroGradients(params)
    for (const [run, roles] of [
      [2, 0],
      [1, 2],
    ].entries()) {
      const forward = device.createCommandEncoder()
      training.encodeForward(forward, roles)
      device.queue.submit([forward.finish()])
      for (const [side, size] of sides) {
        const slots = await readTensor(device, side === 'A' ? training.binding.a : training.binding.b)
        const isShared = config.sources[side] === 'shared'
        const gradient = (side === 'A' ? training.aGradient : training.bGradient)!
        const seed = 2700 + 10 * run + (side === 'A' ? 0 : 5)
        // Gradients of the padding are zero, as the decoder's are.
        const fed = new Float32Array(gradient.shape[0]! * size)
        roles.forEach((role, index) => {
          const slot = isShared ? 0 : index
          for (let layerId = 0; layerId < ids; layerId++) {
            const matrix = matrixOf(params, config, side, role, layerId)
            const place = placeOf(layout, config, side, layerId)
            const actual = Array.from(matrix, (_, i) => slots[slot * size + place(i)]!)
            expect(nmse(actual, matrix)).toBeLessThanOrEqual(1e-10)
            if (isShared && index > 0) continue
            const probe = normals(seed + 100 * (index * ids + layerId), matrix.length)
            probe.forEach((value, i) => (fed[slot * size + place(i)] = value))
            hypernetworkBackwardReference(expected, params, config, { side, role, layerId }, probe)
          }
        })
        // A shared matrix has one gradient for the whole step: the decoder adds to what is there.
        const before = isShared && run > 0 ? await readTensor(device, gradient) : new Float32Array(fed.length)
        const { buffer, offsetBytes = 0 } = gradient
        device.queue.writeBuffer(
          buffer,
          offsetBytes,
          fed.map((value, i) => value + before[i]!),
        )
      }
      const backward = device.createCommandEncoder()
      training.encodeBackward(backward)
      device.queue.submit([backward.finish()])
    }
    const actual = await readGradients(device, parameters)
    for (const [name, gradient] of expected) {
      const error = nmse(actual.get(name)!, gradient)
      expect({ name, isClose: error <= 1e-10 }).toEqual({ name, isClose: true })
    }
    training.destroy()
    parameters.destroy()
  })
})

describe('one role’s vector alone', () => {
  test.each([
    { A: 'hyper', B: 'shared' },
    { A: 'table', B: 'hyper' },
  ] as const)('A from $A, B from $B: its gradient and no other', async ({ A, B }) => {
    const config = tinyConfig({ A, B })
    const layout = layoutOf(config)
    const params = parametersOf(tinyPack({ A, B }))
    const parameters = createParameters(device, {
      config,
      layout,
      roles: 3,
      hasHeads: true,
      hasContrast: true,
      onlyRole: 1,
    })
    parameters.load((name) => params.get(name)!)
    const training = await createHypernetworkTraining(gpu, { config, layout, parameters, capacity: 1 })
    const side = A === 'hyper' ? 'A' : 'B'
    const [gradient, other] =
      side === 'A' ? [training.aGradient!, training.bGradient] : [training.bGradient!, training.aGradient]
    expect(other).toBeUndefined()
    const forward = device.createCommandEncoder()
    training.encodeForward(forward, [1])
    device.queue.submit([forward.finish()])
    const expected = zeroGradients(params)
    const fed = new Float32Array(gradient.shape[1]!)
    for (let layerId = 0; layerId < config.projections.length * config.layers; layerId++) {
      const place = placeOf(layout, config, side, layerId)
      const probe = normals(2800 + layerId, matrixOf(params, config, side, 1, layerId).length)
      probe.forEach((value, i) => (fed[place(i)] = value))
      hypernetworkBackwardReference(expected, params, config, { side, role: 1, layerId }, probe)
    }
    device.queue.writeBuffer(gradient.buffer, 0, fed)
    const backward = device.createCommandEncoder()
    training.encodeBackward(backward)
    device.queue.submit([backward.finish()])
    const ofRoles = await readTensor(device, parameters.gradient('roles_emb.weight')!)
    expect(nmse(ofRoles, expected.get('roles_emb.weight')!)).toBeLessThanOrEqual(1e-10)
  })
})

test('refuses roles that stand twice, do not exist or do not fit', async () => {
  const config = tinyConfig()
  const layout = layoutOf(config)
  const sizes = { config, layout, roles: 3, hasHeads: true, hasContrast: true }
  const parameters = createParameters(device, sizes)
  const training = await createHypernetworkTraining(gpu, { config, layout, parameters, capacity: 2 })
  const run = (roles: readonly number[]) => (): void =>
    training.encodeForward(device.createCommandEncoder(), roles)
  expect(run([1, 1])).toThrow('expected 1 to 2 different ones')
  expect(run([0, 1, 2])).toThrow('expected 1 to 2 different ones')
  expect(run([])).toThrow('expected 1 to 2 different ones')
  expect(run([0, 3])).toThrow('role 3 does not exist')
})
