// Sampling by mood: what the sliders say before anybody touches them. No state.
import type { Sampling } from '../../../src/core/sampling.ts'
import { LENGTHS, STEADY } from '../../../src/core/sampling.ts'
import type { Settings } from '../../../src/storage/records.ts'

export type Mood = Settings['mood']

/** A sampler that has a slider; the seed has its own row, and the end of an answer goes by its length. */
export type SamplerOption = Exclude<keyof Sampling, 'seed' | 'endBonus' | 'endAfter'>

/** The lengths that answers may have, shortest first. */
export const lengths = ['short', 'medium', 'free'] as const satisfies readonly Settings['length'][]

const { temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, guidance, roleGuidance } = STEADY

/**
 * What each mood sets. Chosen by reading SmolLM2's answers to the same openings as four of the cast:
 * above a temperature of 0.5 it forgets who it is, without a penalty every third answer goes round in circles, and a
 * window that reaches back into the prompt makes it avoid the very names in it ("I am Inspector Thistleramnon").
 */
export const moods: Readonly<Record<Mood, Readonly<Record<SamplerOption, number>>>> = {
  steady: { temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, guidance, roleGuidance },
  lively: {
    temperature: 0.8,
    topK: 0,
    topP: 1,
    minP: 0.08,
    repetitionPenalty: 1.1,
    repetitionWindow: 32,
    guidance,
    roleGuidance,
  },
  wild: {
    temperature: 1.1,
    topK: 0,
    topP: 1,
    minP: 0.05,
    repetitionPenalty: 1.05,
    repetitionWindow: 32,
    guidance,
    roleGuidance,
  },
  exact: {
    temperature: 0,
    topK: 0,
    topP: 1,
    minP: 0,
    repetitionPenalty: 1,
    repetitionWindow: 96,
    guidance: 0,
    roleGuidance: 1,
  },
}

export interface SamplerSlider {
  readonly key: SamplerOption
  readonly min: number
  readonly max: number
  readonly step: number
}

/** The sliders of guidance, which stand by themselves: the second reading of an answer is of one or the other. */
export const guidanceSlider: SamplerSlider = {
  key: 'guidance',
  min: 0,
  max: 2,
  step: 0.1,
}

export const roleGuidanceSlider: SamplerSlider = {
  key: 'roleGuidance',
  min: 1,
  max: 3,
  step: 0.1,
}

/** The sliders, those of the fold in order behind the two that are not in it. */
export const samplers: readonly SamplerSlider[] = [
  guidanceSlider,
  roleGuidanceSlider,
  {
    key: 'temperature',
    min: 0,
    max: 2,
    step: 0.05,
  },
  {
    key: 'minP',
    min: 0,
    max: 0.5,
    step: 0.01,
  },
  {
    key: 'topP',
    min: 0.05,
    max: 1,
    step: 0.05,
  },
  {
    key: 'topK',
    min: 0,
    max: 200,
    step: 1,
  },
  {
    key: 'repetitionPenalty',
    min: 1,
    max: 1.5,
    step: 0.01,
  },
  {
    key: 'repetitionWindow',
    min: 0,
    max: 512,
    step: 16,
  },
]

/**
 * What a mood sets a sampler to where nobody has touched its slider.
 *
 * @param affordsGuidance whether the backbone has the speed for it; where it has not, guidance is for the visitor to choose.
 */
export function ownValue(mood: Mood, key: SamplerOption, affordsGuidance: boolean): number {
  return key === 'guidance' && !affordsGuidance ? 0 : moods[mood][key]
}

/** The samplers of the settings: the mood's, with what the visitor changed, the length of answers, and a seed. */
export function samplingOf(
  settings: Pick<Settings, 'mood' | 'overrides' | 'length'>,
  seed: number,
  affordsGuidance: boolean,
): Sampling {
  const { mood, length } = settings
  const base = { ...moods[mood], guidance: ownValue(mood, 'guidance', affordsGuidance) }
  const changed = samplers.flatMap(({ key, min, max }) => {
    const value = settings.overrides[key]
    return value === undefined ? [] : [[key, Math.min(max, Math.max(min, value))] as const]
  })
  return { ...base, ...Object.fromEntries(changed), ...LENGTHS[length], seed }
}
