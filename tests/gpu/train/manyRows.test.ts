import { expect, test, vi } from 'vitest'

import { submit } from '../../../src/gpu/kernel.ts'
import { createTensor, readTensor, uploadTensor } from '../../../src/gpu/tensor.ts'
import { linearBackwardWeight } from '../../../src/kernels/linearBackwardWeight.ts'
import { loadWeights } from '../../../src/model/gpu/gpuWeights.ts'
import { padBatch } from '../../../src/train/data/batches.ts'
import type { TokenRow } from '../../../src/train/data/rows.ts'
import { beginTraining } from '../../../src/train/parameters/trainee.ts'
import { Trainer } from '../../../src/train/run/trainer.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'
import { testGpu } from '../../support/device.ts'
import { writeOnnx } from '../../support/onnxWriter.ts'
import { recogniseBytes } from '../../support/tinyBackbone.ts'
import { TINY_CONFIG, tinyDecoder } from '../../support/tinyDecoder.ts'

/* More rows and columns than one dimension of a grid has workgroups. */

/** How many that is: with as few as below, a small batch is folded as a large one is. */
const most = vi.hoisted(() => ({ exact: 65_535, padded: 65_535 }))

vi.mock(import('../../../src/gpu/grid.ts'), async (original) => {
  const grid = await original()
  return {
    ...grid,
    exactGrid: (count) => grid.exactGrid(count, most.exact),
    paddedGrid: (count) => grid.paddedGrid(count, most.padded),
  }
})

const ROLES = ['Ada', 'Bo', 'Cy', 'Di']
const rows = Array.from({ length: 16 }, (_, index): TokenRow => {
  const ids = Array.from({ length: 17 }, (__, at) => (7 * index + 3 * at + 1) % 40)
  const isReply = ids.map((__, at) => at > 8)
  return { role: ROLES[index % 4]!, ids, isReply, anchor: 16, cut: { turns: 0, tokens: 0 } }
})

/** Two steps on a decoder with norms of heads, and what they made. */
async function learn(plan: 'tile' | 'direct') {
  const isTile = plan === 'tile'
  const gpu = await testGpu({ manyRows: plan, batchAttention: isTile ? 'row' : 'direct' })
  const decoder = await recogniseBytes(writeOnnx(tinyDecoder({ headNorms: 'each' })), TINY_CONFIG)
  const weights = await loadWeights(gpu.device, decoder, () => undefined)
  const hypernetwork = {
    roleEmbedding: 8,
    layerEmbedding: 8,
    hidden: 16,
    residualBlocks: 1,
    generatorRank: 4,
  }
  const config = readTrainConfig({ rank: 4, warmup: 0, hypernetwork, sources: { A: 'hyper', B: 'hyper' } })
  const trainee = beginTraining(config, decoder, ROLES, null)
  const limits = { rows: rows.length, tokens: 17 }
  const trainer = await Trainer.create(gpu, decoder, weights, trainee, { config, limits })
  const batch = padBatch(rows, new Map(ROLES.map((name, index) => [name, index])))
  const reports = []
  for (const step of [0, 1]) {
    reports.push(await trainer.step({ step, batches: [batch], lambda: 0.3, rateFactor: 1 }))
  }
  const tensors = await trainer.read()
  trainer.destroy()
  return { reports, tensors }
}

test.each(['tile', 'direct'] as const)(
  'a batch in more lines of workgroups than one learns bit for bit the same: %s',
  async (plan) => {
    Object.assign(most, { exact: 65_535, padded: 65_535 })
    const whole = await learn(plan)
    expect(whole.reports[0]!.gradientNorm).toBeGreaterThan(0)
    // 272 rows in 16 lines of 17; their 9 tiles in 3 lines of 4, of which the last is cut off.
    Object.assign(most, { exact: 17, padded: 4 })
    expect(await learn(plan)).toEqual(whole)
  },
)

test.each(['tile', 'direct'] as const)(
  'a layer of more than a million outputs has its gradients: %s',
  async (plan) => {
    Object.assign(most, { exact: 65_535, padded: 65_535 })
    const gpu = await testGpu({ manyRows: plan })
    const { device } = gpu
    // One more tile of 32 than a dimension has.
    const columns = 65_537 * 32
    const x = uploadTensor(device, [1, 1], Float32Array.of(3), 'x')
    const count = uploadTensor(device, [1], Uint32Array.of(1), 'count')
    const gradient = Float32Array.from({ length: columns }, (_, column) => (column % 1000) - 500)
    const dy = uploadTensor(device, [1, columns], gradient, 'dy')
    const dweight = createTensor(device, [columns, 1], 'dweight')
    const dbias = createTensor(device, [columns], 'dbias')
    const dispatch = await linearBackwardWeight(gpu, { dy, x, count, dweight, dbias })
    submit(device, [dispatch], 1)
    const [weight, bias] = [await readTensor(device, dweight), await readTensor(device, dbias)]
    expect(gradient.findIndex((value, i) => weight[i] !== 3 * value || bias[i] !== value)).toBe(-1)
    for (const { buffer } of [x, count, dy, dweight, dbias]) buffer.destroy()
  },
)
