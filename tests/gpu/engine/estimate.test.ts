import { resolve } from 'node:path'

import { expect, test } from 'vitest'

import { folder } from '../../../src/cli/files.ts'
import { estimateOn } from '../../../src/engine/estimate.ts'
import { openPackShelf } from '../../../src/engine/packShelf.ts'
import type { PlannedRun } from '../../../src/engine/protocol.ts'
import type { Stage } from '../../../src/engine/stage.ts'
import { openChatModel } from '../../../src/model/chatModel.ts'
import { GpuBackbone } from '../../../src/model/gpuBackbone.ts'
import { testDevice } from '../../support/device.ts'

const root = resolve(import.meta.dirname, '../../../public/models/starter')

async function openStage(): Promise<Stage> {
  const model = await openChatModel(folder(root), { model: 'onnx/model_fp16.onnx' })
  const device = await testDevice()
  const backbone = await GpuBackbone.create(device, model.decoder)
  const shelf = openPackShelf({ backbone, model, name: 'Starter', pack: null })
  return { device, backbone, model, pack: null, shelf, info: { name: 'Starter' } as Stage['info'] }
}

const run: PlannedRun = {
  backbone: 'Starter',
  dialogues: Array.from({ length: 6 }, (_, index) => ({
    role: 'Brine',
    split: 'train' as const,
    turns: [
      { speaker: 'user', text: `Question ${index}?` },
      { speaker: 'role', text: 'Mind the rope.' },
    ],
  })),
  config: { steps: 3, batch: 1, rank: 2, targets: ['q'], contrast: { form: 'off' } },
  start: null,
}

test('an estimate grows with the rows of a step, and tries the same shape once', async () => {
  const stage = await openStage()
  const one = await estimateOn(stage, run)
  expect(one.secondsPerStep).toBeGreaterThan(0)
  expect(one.gpuBytes).toBeGreaterThan(1e6)
  const four = await estimateOn(stage, { ...run, config: { ...(run.config as object), batch: 4 } })
  expect(four.tokensPerStep).toBeGreaterThan(3 * one.tokensPerStep)
  // Nothing is measured anew: the same line, at more tokens.
  expect(four.secondsPerStep).toBeGreaterThan(one.secondsPerStep)
  const again = await estimateOn(stage, run)
  expect(again).toEqual(one)
})

test('a run for another backbone is not tried', async () => {
  await expect(estimateOn(await openStage(), { ...run, backbone: 'Another' })).rejects.toThrow(
    'the run is for Another',
  )
})

test('a plan that has changed meanwhile is not tried', async () => {
  const stage = await openStage()
  await expect(estimateOn(stage, run, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
})
