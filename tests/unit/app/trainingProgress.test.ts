import { describeLoss, overlearning } from '../../../app/stores/teach/lossWords.ts'
import { describe, expect, test } from 'vitest'

import {
  addEvents,
  cutHistory,
  emptyHistory,
  paceOf,
  secondsLeft,
  spread,
  thin,
} from '../../../app/stores/teach/progress.ts'
import type { TrainEvent } from '../../../src/engine/protocol.ts'
import type { RunHistory } from '../../../src/storage/runs.ts'

const step = (at: number, loss: number, isSkipped = false): TrainEvent => ({
  kind: 'step',
  step: at,
  loss,
  crossEntropy: loss,
  contrast: 1,
  lambda: 0.1,
  learningRate: 1e-3,
  gradientNorm: 0.5,
  tokensPerSecond: 800,
  secondsPerStep: 0.25,
  isSkipped,
})
const plan: TrainEvent = {
  kind: 'plan',
  totalSteps: 40,
  rows: 16,
  heldOutRows: 4,
  tokensPerStep: 200,
  gpuBytes: 1e8,
  secondsPerStep: 0.2,
}
const heldOut = (at: number, loss: number): TrainEvent => ({
  kind: 'held-out',
  step: at,
  loss,
  isBest: false,
})
const answers = (at: number, text: string): TrainEvent => ({ kind: 'answers', step: at, answers: [text] })
const run = (...events: readonly TrainEvent[]): RunHistory => addEvents(emptyHistory, events)
const evaluations = (...losses: readonly number[]): RunHistory =>
  run(...losses.map((loss, index) => heldOut((index + 1) * 5, loss)))
const fall = Array.from({ length: 20 }, (_, index) => step(index + 1, 4 - index * 0.1))

describe('the history of a run', () => {
  test('keeps what was said, and draws no step that was not applied', () => {
    const history = run(plan, step(1, 4), step(2, 9, true), step(3, 3), { kind: 'note', message: 'Hm.' })
    expect(history.points.map((point) => point.step)).toEqual([1, 3])
    expect(history).toMatchObject({ skipped: 1, notes: ['Hm.'], plan: { totalSteps: 40, rows: 16 } })
  })

  test('goes back to a checkpoint', () => {
    const history = run(plan, ...fall, heldOut(10, 3), heldOut(20, 2), answers(15, 'Aye.'))
    const before = cutHistory(history, 12)
    expect(before.points.at(-1)?.step).toBe(12)
    expect(before).toMatchObject({ heldOut: [{ step: 10 }], answers: [], plan: { totalSteps: 40 } })
  })

  test('joins neighbours when it grows too long for a chart', () => {
    const { points } = run(...Array.from({ length: 9 }, (_, index) => step(index + 1, index)))
    expect(thin(points, 5)).toBe(points)
    const joined = thin(points, 4)
    expect(joined.map((point) => [point.step, point.loss])).toEqual([
      [2, 0.5],
      [4, 2.5],
      [6, 4.5],
      [8, 6.5],
      [9, 8],
    ])
  })

  test('tells the pace', () => {
    expect(paceOf(emptyHistory)).toBeNull()
    expect(paceOf(run(plan, ...fall))).toEqual({ tokensPerSecond: 800, secondsPerStep: 0.25 })
  })

  test('tells the time left, the longer the more of it is left to everything else', () => {
    expect(secondsLeft(emptyHistory, 1)).toBeNull()
    expect(secondsLeft(run(plan), 0.5)).toBe(16)
    expect(secondsLeft(run(plan, ...fall), 1)).toBe(5)
    expect(secondsLeft(run(plan, ...fall), 0.1)).toBeCloseTo(50)
  })

  test('has every step once after a roll-back', () => {
    const nothing = new Float32Array()
    const map = { names: [], cosines: nothing, points: nothing, alike: null, isShared: false }
    const before = run(
      plan,
      ...fall.slice(0, 6),
      heldOut(4, 3),
      heldOut(6, 2.9),
      answers(4, 'old'),
      answers(6, 'old'),
    )
    const diverged = addEvents(before, [{ kind: 'map', step: 6, map }, step(7, 0, true)])
    expect(diverged).toMatchObject({ heldOut: [{ step: 4 }, { step: 6 }], map: { step: 6 }, skipped: 1 })
    const back = addEvents(diverged, [answers(4, 'new'), step(5, 2), step(6, 1), heldOut(6, 2.5)])
    expect(back.points.map((point) => [point.step, point.loss])).toEqual([
      [1, 4],
      [2, 3.9],
      [3, 3.8],
      [4, 3.7],
      [5, 2],
      [6, 1],
    ])
    expect(back).toMatchObject({
      heldOut: [
        { step: 4, loss: 3 },
        { step: 6, loss: 2.5 },
      ],
      answers: [{ step: 4, answers: ['new'] }],
      map: null,
    })
  })

  test('begins where an older checkpoint was, and says no note twice', () => {
    const note: TrainEvent = { kind: 'note', message: 'Row 3 is empty.' }
    const again = addEvents(run(plan, note, ...fall), [plan, note, step(3, 9)])
    expect(again.points.map((point) => point.step)).toEqual([1, 2, 3])
    expect(again.notes).toEqual(['Row 3 is empty.'])
  })
})

describe('the loss in words', () => {
  test.each([
    [run(), 'No step is done yet.'],
    [run(plan, ...fall), 'Step 20 of 40. On the lines the loss fell from 3.80 to 2.30.'],
    [run(step(1, 2), step(2, 2)), 'Step 2. On the lines the loss stayed at 2.00.'],
    [
      run(plan, step(1, 2), step(2, 3), heldOut(2, 2.5)),
      'Step 2 of 40. On the lines the loss rose from 2.00 to 3.00. On the lines held out it is 2.50, the lowest so far.',
    ],
    [
      run(plan, ...fall, heldOut(10, 2.4), heldOut(20, 2.5)),
      'Step 20 of 40. On the lines the loss fell from 3.80 to 2.30. On the lines held out it is 2.50; the lowest was 2.40 at step 10.',
    ],
  ])('%#', (history, words) => {
    expect(describeLoss(history)).toBe(words)
  })

  test('warns of learning by heart only when the held-out loss keeps rising', () => {
    expect(overlearning(evaluations(3, 2, 2.1))).toBeNull()
    expect(overlearning(evaluations(3, 2, 2.01, 2.01, 2.02))).toBeNull()
    expect(overlearning(evaluations(3, 2, 2.1, 2.1, 2.2))).toContain('since step 10')
  })
})

test('a table has evenly spread rows, the first and the last among them', () => {
  expect(spread([1, 2, 3], 5)).toEqual([1, 2, 3])
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8], 3)).toEqual([0, 4, 8])
})
