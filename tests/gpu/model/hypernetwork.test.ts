import { describe, expect, test } from 'vitest'

import { readTensor } from '../../../src/gpu/tensor.ts'
import type { Tensor } from '../../../src/gpu/tensor.ts'
import { expectedTensors } from '../../../src/formats/packConfig.ts'
import type { PackConfig, PackProjection } from '../../../src/formats/packConfig.ts'
import { fileSource } from '../../../src/cli/files.ts'
import { readPack } from '../../../src/formats/pack.ts'
import { adapterLayout, aOffset, bOffset } from '../../../src/model/adapter/adapterLayout.ts'
import type { AdapterLayout, ProjectionDims } from '../../../src/model/adapter/adapterLayout.ts'
import { PROJECTIONS } from '../../../src/model/decoder/decoder.ts'
import type { PackTensors } from '../../../src/model/adapter/adapterLayout.ts'
import { createHypernetwork, uploadB } from '../../../src/model/adapter/hypernetwork.ts'
import { generateA, generateB } from '../../reference/hypernetwork.ts'
import type { Parameters } from '../../reference/hypernetwork.ts'
import { expectClose } from '../../support/compare.ts'
import { testGpu } from '../../support/device.ts'
import { createGuarded, readGuarded } from '../../support/guarded.ts'
import { readTensors } from '../../support/readTensors.ts'
import { hasShared, sharedPath } from '../../support/shared.ts'
import { parametersOf, tinyConfig, tinyPack } from '../../support/tinyPack.ts'
import { normals } from '../../support/values.ts'

function packOf(config: PackConfig, params: Parameters, rows: number): PackTensors {
  return { config, rows, tensor: (name) => Float32Array.from(params.get(name)!) }
}

function layoutOf(config: PackConfig): AdapterLayout {
  const dims = Object.fromEntries(PROJECTIONS.map((name) => [name, config.dims.get(name) ?? [8, 8]]))
  return adapterLayout(config.rank, config.layers, dims as unknown as ProjectionDims)
}

/** A slot of A as the layout asks for it: `matrix(layer id)` gives [in, rank], the padding is zero. */
function slotOfA(
  layout: AdapterLayout,
  config: PackConfig,
  matrix: (projection: PackProjection, layer: number, layerId: number) => ArrayLike<number>,
): Float64Array {
  const slot = new Float64Array(layout.aSize)
  config.projections.forEach((projection, index) => {
    for (let layer = 0; layer < config.layers; layer++) {
      const values = matrix(projection, layer, index * config.layers + layer)
      const offset = aOffset(layout, projection, layer)
      for (let i = 0; i < values.length; i++) {
        slot[offset + Math.floor(i / layout.rank) * layout.paddedRank + (i % layout.rank)] = values[i]!
      }
    }
  })
  return slot
}

/** A of one role, from whichever source the pack has. */
function referenceOfA(params: Parameters, config: PackConfig, role: number) {
  return (projection: PackProjection, layer: number, layerId: number): ArrayLike<number> => {
    const stem = `layers.${layer}.${projection}`
    if (config.sources.A === 'shared') return params.get(`${stem}.lora_A`)!
    if (config.sources.A !== 'table') return generateA(params, config, role, layerId)
    const size = config.dims.get(projection)![0] * config.rank
    return Array.from(params.get(`${stem}.lora_A_table`)!).slice(role * size, (role + 1) * size)
  }
}

function weighted(parts: readonly (readonly [Float64Array, number])[]): Float64Array {
  return parts[0]![0].map((_, i) => parts.reduce((sum, [values, weight]) => sum + weight * values[i]!, 0))
}

async function slotsOf(device: GPUDevice, buffer: Tensor, layout: AdapterLayout): Promise<Float32Array[]> {
  const values = await readGuarded(device, buffer)
  return Array.from({ length: values.length / layout.aSize }, (_, slot) =>
    values.subarray(slot * layout.aSize, (slot + 1) * layout.aSize),
  )
}

describe.each(['hyper', 'hyper+static', 'table', 'shared'] as const)('A from %s, seed 1', (source) => {
  const config = tinyConfig({ A: source })
  const params = parametersOf(tinyPack({ A: source }))
  const layout = layoutOf(config)
  const expected = (role: number) => slotOfA(layout, config, referenceOfA(params, config, role))

  test('each role in its slot, the other slots untouched', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const buffer = createGuarded(device, [5, layout.aSize], 'A')
    const noise = normals(7, 5 * layout.aSize)
    device.queue.writeBuffer(buffer.buffer, 0, noise)
    const hypernetwork = await createHypernetwork(gpu, packOf(config, params, 3), layout, buffer)
    hypernetwork.generate([
      { roleId: 2, slot: 0 },
      { roleId: 0, slot: 4 },
    ])
    hypernetwork.generate([{ roleId: 1, slot: 2 }])
    const slots = await slotsOf(device, buffer, layout)
    expectClose(slots[0]!, expected(2))
    expectClose(slots[4]!, expected(0))
    expectClose(slots[2]!, expected(1))
    expect(slots[1]).toEqual(noise.subarray(layout.aSize, 2 * layout.aSize))
    expect(slots[3]).toEqual(noise.subarray(3 * layout.aSize, 4 * layout.aSize))
    hypernetwork.destroy()
  })

  test('more roles than fit at once, and one role in several slots', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const buffer = createGuarded(device, [5, layout.aSize], 'A')
    const hypernetwork = await createHypernetwork(gpu, packOf(config, params, 3), layout, buffer)
    const roles = [0, 1, 2, 1, 0]
    hypernetwork.generate(roles.map((roleId, slot) => ({ roleId, slot })))
    const slots = await slotsOf(device, buffer, layout)
    roles.forEach((role, slot) => expectClose(slots[slot]!, expected(role)))
    hypernetwork.destroy()
  })

  test('blends are exact for any weights', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const buffer = createGuarded(device, [2, layout.aSize], 'A')
    const hypernetwork = await createHypernetwork(gpu, packOf(config, params, 3), layout, buffer)
    hypernetwork.blend(
      [
        { roleId: 2, weight: 0.75 },
        { roleId: 0, weight: -0.5 },
        { roleId: 2, weight: 0.5 },
      ],
      1,
    )
    const slots = await slotsOf(device, buffer, layout)
    const mixed = weighted([
      [expected(2), 1.25],
      [expected(0), -0.5],
    ])
    expectClose(slots[1]!, mixed)
    hypernetwork.destroy()
  })
})

describe.each(['shared', 'table', 'hyper'] as const)('B from %s, seed 1', (source) => {
  test('lies in its slots, the padding zero', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const config = tinyConfig({ B: source })
    const params = parametersOf(tinyPack({ B: source }))
    const layout = layoutOf(config)
    const buffer = await uploadB(gpu, packOf(config, params, 3), layout)
    const roles = source === 'shared' ? 1 : 3
    expect(buffer.shape).toEqual([roles, layout.bSize])
    const expected = new Float64Array(roles * layout.bSize)
    config.projections.forEach((projection, index) => {
      const size = config.rank * config.dims.get(projection)![1]
      for (let layer = 0; layer < config.layers; layer++) {
        for (let role = 0; role < roles; role++) {
          const stored = params.get(
            `layers.${layer}.${projection}.lora_B${source === 'table' ? '_table' : ''}`,
          )
          const values = stored
            ? Array.from(stored).slice(role * size, (role + 1) * size)
            : generateB(params, config, role, index * config.layers + layer)
          expected.set(values, role * layout.bSize + bOffset(layout, projection, layer))
        }
      }
    })
    expectClose(await readTensor(device, buffer), expected)
  })
})

test.each([{ bare: true }, { layers: 5, roles: 20, seed: 3 }])(
  'other sizes, and all of them mixed: %o',
  async (options) => {
    const gpu = await testGpu()
    const { device } = gpu
    const config = tinyConfig(options)
    const params = parametersOf(tinyPack(options))
    const layout = layoutOf(config)
    const rows = options.roles ?? 3
    const buffer = createGuarded(device, [rows, layout.aSize], 'A')
    const hypernetwork = await createHypernetwork(gpu, packOf(config, params, rows), layout, buffer)
    hypernetwork.generate(Array.from({ length: rows }, (_, role) => ({ roleId: role, slot: role })))
    const slots = await slotsOf(device, buffer, layout)
    slots.forEach((slot, role) => {
      expectClose(slot, slotOfA(layout, config, referenceOfA(params, config, role)))
    })
    const shares = slots.map((_, role) => ({ roleId: role, weight: (role - 1) / 4 }))
    hypernetwork.blend(shares, 0)
    const [mixed] = await slotsOf(device, buffer, layout)
    expectClose(
      mixed!,
      weighted(
        shares.map(({ roleId, weight }) => [
          slotOfA(layout, config, referenceOfA(params, config, roleId)),
          weight,
        ]),
      ),
    )
  },
)

test('projections that the pack does not adapt are zero, seed 5', async () => {
  const gpu = await testGpu()
  const { device } = gpu
  const whole = tinyConfig({})
  const config: PackConfig = {
    ...whole,
    projections: ['down', 'q'],
    dims: new Map([...whole.dims].filter(([projection]) => projection === 'down' || projection === 'q')),
  }
  const params = new Map(
    [...expectedTensors(config, 3, { hasHeads: false })].map(
      ([name, shape], index) =>
        [
          name,
          normals(
            500 + index,
            shape.reduce((a, b) => a * b, 1),
          ),
        ] as const,
    ),
  )
  const layout = layoutOf(whole)
  const buffer = createGuarded(device, [2, layout.aSize], 'A')
  device.queue.writeBuffer(buffer.buffer, 0, normals(8, 2 * layout.aSize))
  const hypernetwork = await createHypernetwork(gpu, packOf(config, params, 3), layout, buffer)
  hypernetwork.generate([{ roleId: 1, slot: 1 }])
  const slots = await slotsOf(device, buffer, layout)
  expectClose(slots[1]!, slotOfA(layout, config, referenceOfA(params, config, 1)))
})

test('refuses roles, slots and sizes that do not exist', async () => {
  const gpu = await testGpu()
  const { device } = gpu
  const config = tinyConfig({})
  const pack = packOf(config, parametersOf(tinyPack({})), 3)
  const layout = layoutOf(config)
  const buffer = createGuarded(device, [2, layout.aSize], 'A')
  const hypernetwork = await createHypernetwork(gpu, pack, layout, buffer)
  expect(() => hypernetwork.generate([{ roleId: 3, slot: 0 }])).toThrow('role 3 does not exist')
  expect(() => hypernetwork.generate([{ roleId: 0, slot: 2 }])).toThrow('slot 2 does not exist')
  const other = adapterLayout(config.rank + 1, config.layers, layout.dims)
  await expect(createHypernetwork(gpu, pack, other, buffer)).rejects.toMatchObject({
    code: 'model-incompatible',
  })
})

describe.skipIf(!hasShared)('on the developers’ material', () => {
  test("every A of the authors' code", async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const { tensors } = await readTensors(sharedPath('golden/hypernet.safetensors'))
    const params = new Map(
      [...tensors].flatMap(([name, { values }]) =>
        name.startsWith('param.') ? [[name.slice('param.'.length), values] as const] : [],
      ),
    )
    const dims: readonly (readonly [PackProjection, readonly [number, number]])[] = [
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
      ...tinyConfig({}),
      rank: 4,
      alpha: 16,
      dims: new Map(dims),
      roleEmbedding: 16,
      hypernetwork: { ...sizes, layernormInput: true, layernormOutput: true },
    }
    const layout = layoutOf(config)
    const buffer = createGuarded(device, [5, layout.aSize], 'A')
    const hypernetwork = await createHypernetwork(gpu, packOf(config, params, 5), layout, buffer)
    hypernetwork.generate(Array.from({ length: 5 }, (_, role) => ({ roleId: role, slot: role })))
    const slots = await slotsOf(device, buffer, layout)
    for (const [projection, [inSize]] of dims) {
      for (let layer = 0; layer < config.layers; layer++) {
        const { values } = tensors.get(`io.layers.${layer}.${projection}.A_all_roles`)!
        const size = inSize * config.rank
        const first = aOffset(layout, projection, layer)
        slots.forEach((slot, role) => {
          expectClose(
            slot.subarray(first, first + size),
            values.subarray(role * size, (role + 1) * size),
            1e-10,
          )
        })
      }
    }
  })

  test('the starter pack', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const pack = await readPack(await fileSource(sharedPath('backbone/starter.hycora.safetensors')))
    const params = new Map(
      [...pack.tensors.keys()].map((name) => [name, Float64Array.from(pack.tensor(name))]),
    )
    const layout = layoutOf(pack.config)
    const buffer = createGuarded(device, [pack.rows, layout.aSize], 'A')
    const hypernetwork = await createHypernetwork(gpu, pack, layout, buffer)
    const roles = Array.from({ length: pack.rows }, (_, role) => ({ roleId: role, slot: role }))
    hypernetwork.generate(roles)
    const slots = await slotsOf(device, buffer, layout)
    for (const role of [0, pack.rows - 1]) {
      const matrix = referenceOfA(params, pack.config, role)
      expectClose(slots[role]!, slotOfA(layout, pack.config, matrix))
    }
  })

  test('the matrices of PyTorch for SmolLM2’s test pack', async () => {
    const gpu = await testGpu()
    const { device } = gpu
    const pack = await readPack(await fileSource(sharedPath('backbone/smollm2-test.hycora.safetensors')))
    const { tensors } = await readTensors(sharedPath('backbone/smollm2-test-golden.safetensors'))
    const layout = layoutOf(pack.config)
    const buffer = createGuarded(device, [2, layout.aSize], 'A')
    const hypernetwork = await createHypernetwork(gpu, pack, layout, buffer)
    hypernetwork.generate([
      { roleId: 0, slot: 0 },
      { roleId: 7, slot: 1 },
    ])
    const slots = await slotsOf(device, buffer, layout)
    for (const [slot, role] of [0, 7].entries()) {
      for (const [layer, projection] of [
        [29, 'q'],
        [7, 'down'],
      ] as const) {
        const { values } = tensors.get(`${role}.A.${layer}.${projection}`)!
        const first = aOffset(layout, projection, layer)
        expectClose(slots[slot]!.subarray(first, first + values.length), values)
      }
    }
  })
})
