import { describe, expect, test } from 'vitest'

import { LENGTHS, STEADY } from '../../../src/core/sampling.ts'
import { moods, ownValue, samplers, samplingOf } from '../../../app/stores/page/moods.ts'

describe('moods', () => {
  test.each(Object.entries(moods))('%s lies within its sliders, on their steps', (_, mood) => {
    for (const { key, min, max, step } of samplers) {
      const value = mood[key]
      expect(value).toBeGreaterThanOrEqual(min)
      expect(value).toBeLessThanOrEqual(max)
      expect(Math.abs(Math.round((value - min) / step) - (value - min) / step)).toBeLessThan(1e-6)
    }
  })

  test('every sampler of the engine has a slider, the seed aside', () => {
    expect(Object.keys(moods.steady).toSorted()).toEqual(samplers.map(({ key }) => key).toSorted())
  })

  test('Exact is greedy and changes nothing else', () => {
    expect(samplingOf({ mood: 'exact', overrides: {}, length: 'free' }, 7, true)).toEqual({
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repetitionPenalty: 1,
      repetitionWindow: 96,
      guidance: 0,
      roleGuidance: 1,
      endBonus: 0,
      endAfter: 0,
      seed: 7,
    })
  })

  test('exceptions stand over the mood, within their bounds; unknown ones do nothing', () => {
    const overrides = { temperature: 9, topK: 40, charm: 3, endBonus: 7 }
    const sampling = samplingOf({ mood: 'lively', overrides, length: 'short' }, 1, true)
    expect(sampling).toMatchObject({ temperature: 2, topK: 40, minP: moods.lively.minP })
    expect(Object.keys(sampling)).not.toContain('charm')
    expect(sampling).toMatchObject(LENGTHS.short)
  })

  test('an answer keeps to its question unasked only where there is the speed for it', () => {
    const settings = { mood: 'steady', overrides: {}, length: 'medium' } as const
    expect(samplingOf(settings, 1, true)).toEqual({ ...STEADY, seed: 1 })
    expect(samplingOf(settings, 1, false).guidance).toBe(0)
    expect(samplingOf({ ...settings, overrides: { guidance: 0.3 } }, 1, false).guidance).toBe(0.3)
    expect(ownValue('lively', 'guidance', true)).toBe(STEADY.guidance)
    expect(ownValue('lively', 'minP', false)).toBe(moods.lively.minP)
  })
})
