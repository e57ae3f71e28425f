import { describe, expect, test } from 'vitest'

import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { createContrast } from '../../../src/train/gradients/contrast.ts'
import type { Contrast } from '../../../src/train/gradients/contrast.ts'
import { createParameters } from '../../../src/train/parameters/parameters.ts'
import type { Parameters as TrainedParameters } from '../../../src/train/parameters/parameters.ts'
import { contrastBackwardReference } from '../../reference/contrastBackward.ts'
import { nmse } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { layoutOf, readGradients } from '../../support/parameters.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

const gpu = await testGpu()
const { device } = gpu

const ROLES = 5
const WIDTH = 8
const config = tinyConfig()
const params = parametersOf(tinyPack({ roles: ROLES }))

function trained(onlyRole?: number): TrainedParameters {
  const parameters = createParameters(device, {
    config,
    layout: layoutOf(config),
    roles: ROLES,
    hasHeads: true,
    hasContrast: true,
    ...(onlyRole !== undefined && { onlyRole }),
  })
  parameters.load((name) => params.get(name)!)
  return parameters
}

function run(
  contrast: Contrast,
  anchors: readonly number[],
  roleIds: readonly number[],
  lambda: number,
): void {
  const commands = device.createCommandEncoder()
  contrast.encode(commands, { anchors, roleIds, lambda })
  device.queue.submit([commands.finish()])
}

describe.each(['batch', 'table'] as const)('in the form %s', (form) => {
  test('two micro-batches: their losses, and λ times their gradients added up, seed 2900', async () => {
    const parameters = trained()
    const hidden = normals(2900, 12 * WIDTH)
    const before = normals(2901, 12 * WIDTH)
    const dHidden = uploadTensor(device, [12, WIDTH], before, 'dHidden')
    const contrast = await createContrast(gpu, {
      form,
      parameters,
      rows: 4,
      hidden: uploadTensor(device, [12, WIDTH], hidden, 'hidden'),
      dHidden,
    })
    const expectedHidden = Float64Array.from(before)
    const expected = new Map<string, Float64Array>()
    for (const { anchors, roleIds, lambda } of [
      { anchors: [11, 2, 7, 0], roleIds: [4, 1, 4, 0], lambda: 0.3 },
      { anchors: [5, 2], roleIds: [2, 1], lambda: 0.7 },
    ]) {
      run(contrast, anchors, roleIds, lambda)
      const pooled = anchors.flatMap((row) => [...hidden.subarray(row * WIDTH, (row + 1) * WIDTH)])
      const reference = contrastBackwardReference(params, pooled, roleIds, { temperature: 0.1, form })
      expect(Math.abs((await contrast.readLoss()) / reference.loss - 1)).toBeLessThan(1e-5)
      anchors.forEach((row, i) => {
        for (let c = 0; c < WIDTH; c++)
          expectedHidden[row * WIDTH + c]! += lambda * reference.dPooled[i * WIDTH + c]!
      })
      for (const [name, gradient] of reference.gradients) {
        const sum = expected.get(name) ?? new Float64Array(gradient.length)
        expected.set(
          name,
          sum.map((value, i) => value + lambda * gradient[i]!),
        )
      }
    }
    expect(nmse(await readTensor(device, dHidden), expectedHidden)).toBeLessThanOrEqual(1e-10)
    const actual = await readGradients(device, parameters)
    for (const [name, gradient] of expected) {
      const isClose = nmse(actual.get(name)!, gradient) <= 1e-9
      expect({ name, isClose }).toEqual({ name, isClose: true })
    }
    contrast.destroy()
  })

  test('one row alone has a gradient only against the whole table, seed 2910', async () => {
    const parameters = trained()
    const hidden = uploadTensor(device, [1, WIDTH], normals(2910, WIDTH), 'hidden')
    const contrast = await createContrast(gpu, { form, parameters, rows: 2, hidden })
    run(contrast, [0], [3], 1)
    const gradients = await readTensor(device, parameters.gradient('roles_emb.weight')!)
    const largest = Math.max(...gradients.map(Math.abs))
    expect(form === 'table' ? largest > 1e-3 : largest < 1e-6).toBe(true)
  })
})

test('with λ = 0 there is a loss and no gradient', async () => {
  const parameters = trained()
  const dHidden = createTensor(device, [3, WIDTH], 'dHidden')
  const hidden = uploadTensor(device, [3, WIDTH], normals(2920, 3 * WIDTH), 'hidden')
  const contrast = await createContrast(gpu, { form: 'table', parameters, rows: 3, hidden, dHidden })
  run(contrast, [0, 1, 2], [0, 1, 2], 0)
  expect(await contrast.readLoss()).toBeGreaterThan(0)
  const all = [...(await readTensor(device, dHidden)), ...(await readTensor(device, parameters.gradients))]
  expect(all.every((value) => value === 0)).toBe(true)
})

test('where only a role’s vector is fitted, the heads stand still', async () => {
  const parameters = trained(2)
  const hidden = uploadTensor(device, [1, WIDTH], normals(2930, WIDTH), 'hidden')
  const contrast = await createContrast(gpu, { form: 'table', parameters, rows: 1, hidden })
  run(contrast, [0], [2], 1)
  const { gradients } = contrastBackwardReference(params, normals(2930, WIDTH), [2], {
    temperature: 0.1,
    form: 'table',
  })
  const actual = await readTensor(device, parameters.gradient('roles_emb.weight')!)
  expect(nmse(actual, gradients.get('roles_emb.weight')!)).toBeLessThanOrEqual(1e-9)
})

test('refuses more rows than fit, and roles that are not as many', async () => {
  const parameters = trained()
  const hidden = createTensor(device, [3, WIDTH], 'hidden')
  const contrast = await createContrast(gpu, { form: 'table', parameters, rows: 2, hidden })
  expect(() => run(contrast, [0, 1, 2], [0, 1, 2], 1)).toThrow('expected as many, 1 to 2')
  expect(() => run(contrast, [0, 1], [0], 1)).toThrow('expected as many, 1 to 2')
})
