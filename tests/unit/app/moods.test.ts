import { describe, expect, test } from 'vitest'

import { moods, samplers, samplingOf } from '../../../app/stores/page/moods.ts'

describe('moods', () => {
  test.each(Object.entries(moods))('%s lies within its sliders, on their steps', (_, mood) => {
    for (const { key, min, max, step } of samplers) {
      const value = mood.samplers[key]
      expect(value).toBeGreaterThanOrEqual(min)
      expect(value).toBeLessThanOrEqual(max)
      expect(Math.abs(Math.round((value - min) / step) - (value - min) / step)).toBeLessThan(1e-6)
    }
  })

  test('every sampler of the engine has a slider, the seed aside', () => {
    expect(Object.keys(moods.steady.samplers).toSorted()).toEqual(samplers.map(({ key }) => key).toSorted())
  })

  test('Exact is greedy and changes nothing else', () => {
    expect(samplingOf({ mood: 'exact', overrides: {} }, 7)).toEqual({
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repetitionPenalty: 1,
      repetitionWindow: 96,
      seed: 7,
    })
  })

  test('exceptions stand over the mood, within their bounds; unknown ones do nothing', () => {
    const sampling = samplingOf({ mood: 'lively', overrides: { temperature: 9, topK: 40, charm: 3 } }, 1)
    expect(sampling).toMatchObject({ temperature: 2, topK: 40, minP: moods.lively.samplers.minP })
    expect(Object.keys(sampling)).not.toContain('charm')
  })
})
