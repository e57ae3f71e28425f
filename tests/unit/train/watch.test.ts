import { expect, test } from 'vitest'

import type { StepReport } from '../../../src/train/run/trainer.ts'
import { endIfStill, RunWatch } from '../../../src/train/run/watch.ts'

function step(crossEntropy: number, changes: Partial<StepReport> = {}): StepReport {
  const others = { loss: crossEntropy, contrast: 0, lambda: 0, replyTokens: 9, isSkipped: false }
  return { crossEntropy, gradientNorm: 1, learningRate: 1e-3, ...others, ...changes }
}

test('a loss far above its start is told once, and only where it stays there', () => {
  const watch = new RunWatch()
  const look = (...losses: number[]) => losses.map((loss) => watch.look(step(loss), 5.1) !== null)
  expect(look(5.1, 6, 7.6, 12, 20, 4)).toEqual([false, false, false, false, false, false])
  expect(look(9, 9, 38, 40, 41)).toEqual([false, false, true, false, false])
  const low = new RunWatch()
  expect([0.2, 0.9, 0.9, 0.9].map((loss) => low.look(step(loss), 0.1))).toEqual([null, null, null, null])
})

test('a gradient of zero three times in a row ends the run, one of a rate of zero does not', () => {
  const watch = new RunWatch()
  const still = { gradientNorm: 0 }
  for (const changes of [still, {}, still, still]) watch.look(step(8.3, changes), 5)
  expect(() => endIfStill(watch, 4, 8.3)).not.toThrow()
  watch.look(step(8.3, still), 5)
  expect(() => endIfStill(watch, 5, 8.318)).toThrow(
    expect.objectContaining({
      code: 'training-diverged',
      message: expect.stringContaining('from step 3 on the gradient is zero, at a loss of 8.32'),
    }),
  )
  const idle = new RunWatch()
  for (let round = 0; round < 5; round++) idle.look(step(5, { gradientNorm: 0, learningRate: 0 }), 5)
  expect(() => endIfStill(idle, 5, 5)).not.toThrow()
})
