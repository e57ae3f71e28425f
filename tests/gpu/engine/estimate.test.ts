import { expect, test } from 'vitest'

import { estimateOn } from '../../../src/engine/estimate.ts'
import type { PlannedRun } from '../../../src/engine/protocol.ts'
import { starterStage } from '../../support/starterStage.ts'

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
  const stage = await starterStage()
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
  await expect(estimateOn(await starterStage(), { ...run, backbone: 'Another' })).rejects.toThrow(
    'the run is for Another',
  )
})

test('a plan that has changed meanwhile is not tried', async () => {
  const stage = await starterStage()
  await expect(estimateOn(stage, run, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
})
