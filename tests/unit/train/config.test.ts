import { describe, expect, test } from 'vitest'

import { DEFAULT_CONFIG, readTrainConfig } from '../../../src/train/settings/config.ts'
import { contrastWeight, learningRateShare } from '../../../src/train/settings/schedule.ts'

describe('the training configuration', () => {
  test('what is left out has its default; B’s rate follows the other', () => {
    expect(readTrainConfig({})).toEqual({ ...DEFAULT_CONFIG, learningRateB: DEFAULT_CONFIG.learningRate })
    expect(readTrainConfig({ learningRate: 0.5 }).learningRateB).toBe(0.5)
    expect(readTrainConfig({ targets: ['v', 'q'] }).targets).toEqual(['q', 'v'])
  })

  test('a start pack decides rank and scale; another rank is refused', () => {
    const start = { rank: 4, alpha: 8 }
    expect(readTrainConfig({}, start)).toMatchObject(start)
    expect(readTrainConfig({ rank: 4, alpha: 16 }, start)).toMatchObject({ rank: 4, alpha: 16 })
    expect(() => readTrainConfig({ rank: 8 }, start)).toThrow('rank is 8, the start pack has 4')
  })

  test.each([
    [{ steps: 0 }, 'steps is 0'],
    [{ steps: 1.5 }, 'steps is 1.5'],
    [{ learnRate: 1 }, 'unknown key "learnRate"'],
    [{ contrast: { form: 'both' } }, 'form is "both"'],
    [{ contrast: { tau: 1 } }, 'unknown key "tau"'],
    [{ targets: ['q', 'q'] }, 'targets is'],
    [{ betas: [0.9] }, 'betas is'],
    [{ mode: 'quick' }, 'needs the new role'],
    [{ system: { Holmes: 1 } }, 'system is'],
    [[], 'not an object'],
  ])('%j is refused', (value, message) => {
    expect(() => readTrainConfig(value)).toThrow(message)
  })
})

describe('schedules', () => {
  test('the learning rate rises over the warm-up and falls along a cosine', () => {
    const config = { schedule: 'cosine', warmup: 4, steps: 100 } as const
    expect(learningRateShare(config, 0)).toBeCloseTo(0.25)
    expect(learningRateShare(config, 50)).toBeCloseTo(0.5)
    expect(learningRateShare({ ...config, schedule: 'constant', warmup: 0 }, 99)).toBe(1)
  })

  test('λ is the released schedules’', () => {
    const cosine = { form: 'batch', weight: 0.3, start: 0.3, schedule: 'half-cosine' } as const
    expect([1, 2, 3, 4, 5].map((epoch) => contrastWeight(cosine, epoch, 5).toFixed(3))).toEqual([
      '0.016',
      '0.087',
      '0.185',
      '0.268',
      '0.300',
    ])
    const linear = { form: 'batch', weight: 0.3, start: 1, schedule: 'linear' } as const
    expect([0.5, 1, 2, 3].map((epoch) => contrastWeight(linear, epoch, 3))).toEqual([0, 0, 0.15, 0.3])
    expect(contrastWeight({ ...linear, form: 'off' }, 3, 3)).toBe(0)
  })
})
