import { beforeAll, describe, expect, test } from 'vitest'

import type { PackConfig, PackProjection } from '../../../src/formats/packConfig.ts'
import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import type { TunedDevice } from '../../../src/gpu/tuning.ts'
import { aOffset, bOffset } from '../../../src/model/adapter/adapterLayout.ts'
import { createContrast } from '../../../src/train/gradients/contrast.ts'
import { createHypernetworkTraining } from '../../../src/train/gradients/hypernetworkTraining.ts'
import { createParameters } from '../../../src/train/parameters/parameters.ts'
import { generateA } from '../../reference/hypernetwork.ts'
import { nmse } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { layoutOf, readGradients } from '../../support/parameters.ts'
import { readTensors } from '../../support/readTensors.ts'
import type { ReadTensor } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { tinyConfig } from '../../support/tinyPack.ts'

const DIMS: readonly (readonly [PackProjection, readonly [number, number]])[] = [
  ['q', [48, 48]],
  ['k', [48, 24]],
  ['v', [48, 24]],
  ['o', [48, 48]],
  ['up', [48, 112]],
  ['down', [112, 48]],
  ['gate', [48, 112]],
]
const sizes = { layerEmbedding: 12, hidden: 40, residualBlocks: 2, generatorRank: 28 }
const config: PackConfig = {
  ...tinyConfig(),
  rank: 4,
  alpha: 16,
  dims: new Map(DIMS),
  roleEmbedding: 16,
  hypernetwork: { ...sizes, layernormInput: true, layernormOutput: true },
}
const layout = layoutOf(config)
const ROLES = 5
const SCALE = config.alpha / config.rank

/** ‖Δ‖ / ‖reference‖ */
const relativeError = (actual: ArrayLike<number>, reference: ArrayLike<number>): number =>
  Math.sqrt(nmse(actual, reference))

describe.skipIf(!hasShared)("against the authors' code in float64", () => {
  let gpu: TunedDevice
  let device: GPUDevice
  let tensors: ReadonlyMap<string, ReadTensor>
  const valuesOf = (name: string): Float64Array => tensors.get(name)!.values
  const roleIds = (): number[] => [...valuesOf('role_ids')]
  const parameterOf = (name: string): Float64Array =>
    tensors.get(`param.${name}`)?.values ?? valuesOf(`io.${name}`)

  beforeAll(async () => {
    gpu = await testGpu()
    ;({ device } = gpu)
    tensors = (await readTensors(sharedPath('golden/hypernet.safetensors'))).tensors
  })

  function trained() {
    const parameters = createParameters(device, {
      config,
      layout,
      roles: ROLES,
      hasHeads: true,
      hasContrast: true,
    })
    parameters.load(parameterOf)
    return parameters
  }

  /** The gradients of `Σ probe·y`, `y = x·Wᵀ + (α/r)·(x·A)·B`, with respect to A by slot and to the shared B, in float64. */
  function gradientsOfProbe(unique: readonly number[]) {
    const [dA, dB] = [new Float64Array(unique.length * layout.aSize), new Float64Array(layout.bSize)]
    const { rank } = layout
    DIMS.forEach(([projection, [inSize, outSize]], index) => {
      for (let layer = 0; layer < config.layers; layer++) {
        const read = (name: string): Float64Array => valuesOf(`io.layers.${layer}.${projection}.${name}`)
        const [x, probe, b] = [read('x'), read('probe'), read('lora_B')]
        const [firstA, firstB] = [aOffset(layout, projection, layer), bOffset(layout, projection, layer)]
        const tokens = x.length / inSize / roleIds().length
        const params = new Map(
          [...tensors].map(([name, { values }]) => [name.replace(/^param\./, ''), values]),
        )
        roleIds().forEach((role, sequence) => {
          const slot = unique.indexOf(role)
          const a = generateA(params, config, role, index * config.layers + layer)
          for (let row = sequence * tokens; row < (sequence + 1) * tokens; row++) {
            for (let j = 0; j < rank; j++) {
              let [u, du] = [0, 0]
              for (let k = 0; k < inSize; k++) u += x[row * inSize + k]! * a[k * rank + j]!
              for (let n = 0; n < outSize; n++) {
                du += SCALE * probe[row * outSize + n]! * b[j * outSize + n]!
                dB[firstB + j * outSize + n]! += SCALE * u * probe[row * outSize + n]!
              }
              for (let k = 0; k < inSize; k++) {
                dA[slot * layout.aSize + firstA + k * rank + j]! += x[row * inSize + k]! * du
              }
            }
          }
        })
      }
    })
    return { dA, dB }
  }

  test('every gradient of Σ probe·y + 0.3·HCL', async () => {
    const parameters = trained()
    const unique = [...new Set(roleIds())]
    const training = await createHypernetworkTraining(gpu, { config, layout, parameters, capacity: ROLES })
    const { dA, dB } = gradientsOfProbe(unique)
    const submit = (encode: (commands: GPUCommandEncoder) => void): void => {
      const commands = device.createCommandEncoder()
      encode(commands)
      device.queue.submit([commands.finish()])
    }
    submit((commands) => training.encodeForward(commands, unique))
    device.queue.writeBuffer(training.aGradient!.buffer, 0, Float32Array.from(dA))
    const { buffer, offsetBytes = 0 } = training.bGradient!
    device.queue.writeBuffer(buffer, offsetBytes, Float32Array.from(dB))
    const pooled = Float32Array.from(valuesOf('contrast.pooled'))
    const contrast = await createContrast(gpu, {
      form: 'batch',
      parameters,
      rows: 6,
      hidden: uploadTensor(device, [6, 48], pooled, 'pooled'),
    })
    submit((commands) =>
      contrast.encode(commands, { anchors: [0, 1, 2, 3, 4, 5], roleIds: roleIds(), lambda: 0.3 }),
    )
    submit((commands) => training.encodeBackward(commands))
    const actual = await readGradients(device, parameters)
    const worst = [...actual].map(([name, gradient]) => {
      return { name, error: relativeError(gradient, valuesOf(`grad.${name}`)) }
    })
    expect(worst.filter(({ error }) => error > 1e-5)).toEqual([])
    expect(worst).toHaveLength([...tensors.keys()].filter((name) => name.startsWith('grad.')).length)
  })

  test('the contrastive loss, and 0.3 times its gradient with respect to the hidden states', async () => {
    const pooled = Float32Array.from(valuesOf('contrast.pooled'))
    const dHidden = createTensor(device, [6, 48], 'dHidden')
    const contrast = await createContrast(gpu, {
      form: 'batch',
      parameters: trained(),
      rows: 6,
      hidden: uploadTensor(device, [6, 48], pooled, 'pooled'),
      dHidden,
    })
    const commands = device.createCommandEncoder()
    contrast.encode(commands, { anchors: [0, 1, 2, 3, 4, 5], roleIds: roleIds(), lambda: 0.3 })
    device.queue.submit([commands.finish()])
    expect(relativeError([await contrast.readLoss()], valuesOf('contrast.loss'))).toBeLessThan(1e-5)
    const gradient = await readTensor(device, dHidden)
    expect(relativeError(gradient, valuesOf('contrast.grad_pooled'))).toBeLessThan(1e-5)
  })
})
