import { describe, expect, test } from 'vitest'

import type { SourceOfA, SourceOfB } from '../../../src/formats/packConfig.ts'
import { expectedTensors } from '../../../src/formats/packConfig.ts'
import { readTensor, sizeOf } from '../../../src/gpu/tensor.ts'
import { createParameters } from '../../../src/train/parameters/parameters.ts'
import type { ParameterOptions } from '../../../src/train/parameters/parameterLayout.ts'
import { expectSameBits } from '../../support/compare.ts'
import { testDevice } from '../../support/device.ts'
import { layoutOf } from '../../support/parameters.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

const device = await testDevice()

const SOURCES: readonly (readonly [SourceOfA, SourceOfB])[] = (
  ['shared', 'table', 'hyper', 'hyper+static'] as const
).flatMap((A) => (['shared', 'table', 'hyper'] as const).map((B) => [A, B] as const))

function optionsOf(A: SourceOfA, B: SourceOfB, more: Partial<ParameterOptions> = {}): ParameterOptions {
  const config = tinyConfig({ A, B })
  return { config, layout: layoutOf(config), roles: 3, hasHeads: true, hasContrast: true, ...more }
}

describe.each(SOURCES)('A from %s, B from %s', (A, B) => {
  const tensors = parametersOf(tinyPack({ A, B }))

  test('what is loaded is read back to the bit, every tensor of the pack and no other', async () => {
    const options = optionsOf(A, B)
    const parameters = createParameters(device, options)
    parameters.load((name) => tensors.get(name)!)
    const read = await parameters.read()
    expect([...read.keys()].toSorted()).toEqual([...tensors.keys()].toSorted())
    for (const [name, values] of read) expectSameBits(values, Float32Array.from(tensors.get(name)!))
    const shapes = expectedTensors(options.config, 3, { hasHeads: true })
    for (const [name, values] of read) expect(values.length).toBe(sizeOf(shapes.get(name)!))
    parameters.destroy()
  })

  test('segments lie at multiples of 256 bytes, those of B behind the others', () => {
    const { layout, ...rest } = createParameters(device, optionsOf(A, B))
    const segments = [...layout.segments.values()]
    expect(segments.every(({ first }) => first % 64 === 0)).toBe(true)
    expect(layout.trainedLength).toBe(layout.length)
    const [hyper, ofB] = layout.updates
    expect(hyper).toMatchObject({ first: 0, group: 'hyper' })
    for (const { first, group, shape } of segments) {
      const range = group === 'B' ? ofB! : hyper!
      expect(first).toBeGreaterThanOrEqual(range.first)
      expect(first + sizeOf(shape)).toBeLessThanOrEqual(range.first + range.length)
    }
    rest.destroy()
  })
})

test('without a contrastive loss the heads are kept and not trained', async () => {
  const tensors = parametersOf(tinyPack())
  const parameters = createParameters(device, optionsOf('hyper', 'shared', { hasContrast: false }))
  parameters.load((name) => tensors.get(name)!)
  expect(parameters.gradient('hidden_to_role_emb_layer.weight')).toBeUndefined()
  expect(parameters.gradient('roles_emb.weight')).toBeDefined()
  expect(parameters.layout.trainedLength).toBeLessThan(parameters.layout.length)
  const head = (await parameters.read()).get('hidden_to_role_emb_layer.weight')!
  expectSameBits(head, Float32Array.from(tensors.get('hidden_to_role_emb_layer.weight')!))
})

describe('one role’s vector alone', () => {
  test('has gradients for the two tables and one row to move', () => {
    const parameters = createParameters(device, optionsOf('hyper', 'shared', { onlyRole: 2 }))
    const { layout } = parameters
    const trained = [...layout.segments.values()].filter(({ isTrained }) => isTrained)
    expect(trained.map(({ name }) => name)).toEqual(['roles_emb.weight', 'layers_emb.weight'])
    expect(layout.updates).toEqual([{ first: 10, length: 5, group: 'hyper' }])
    expect(layout.trainedLength).toBeLessThan(256)
    expect(parameters.gradient('B')).toBeUndefined()
  })

  test.each([
    ['shared', 'shared', 2],
    ['table', 'table', 2],
    ['hyper', 'shared', 3],
  ] as const)('is refused with A from %s, B from %s for role %i of 3', (A, B, onlyRole) => {
    expect(() => createParameters(device, optionsOf(A, B, { onlyRole }))).toThrow('cannot be fitted')
  })
})

test('the state goes through bytes to the bit, moments included, seed 2500', async () => {
  const options = optionsOf('hyper', 'table')
  const [from, to] = [createParameters(device, options), createParameters(device, options)]
  for (const [index, tensor] of [from.values, from.firstMoments, from.secondMoments].entries()) {
    device.queue.writeBuffer(tensor.buffer, 0, normals(2500 + index, sizeOf(tensor.shape)))
  }
  to.writeState(await from.readState())
  expectSameBits(await readTensor(device, to.values), await readTensor(device, from.values))
  expectSameBits(await readTensor(device, to.firstMoments), await readTensor(device, from.firstMoments))
  expectSameBits(await readTensor(device, to.secondMoments), await readTensor(device, from.secondMoments))
  expect(() => to.writeState(new Uint8Array(8))).toThrow('has 8 bytes')
})

test('loading forgets moments and gradients', async () => {
  const tensors = parametersOf(tinyPack())
  const parameters = createParameters(device, optionsOf('hyper', 'shared'))
  const { gradients, firstMoments, secondMoments } = parameters
  for (const { buffer, shape } of [gradients, firstMoments, secondMoments]) {
    device.queue.writeBuffer(buffer, 0, normals(2510, sizeOf(shape)))
  }
  parameters.load((name) => tensors.get(name)!)
  const sums = await Promise.all(
    [gradients, firstMoments, secondMoments].map(async (tensor) => {
      const values = await readTensor(device, tensor)
      return values.every((value) => value === 0)
    }),
  )
  expect(sums).toEqual([true, true, true])
})

test('refuses names and sizes that do not exist', () => {
  const parameters = createParameters(device, optionsOf('hyper', 'shared'))
  expect(() => parameters.value('A')).toThrow('there is no parameter A')
  expect(() => parameters.load(() => [1, 2, 3])).toThrow('has 3 elements')
})
