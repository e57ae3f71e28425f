// Sampling by mood: what the sliders say before anybody touches them. No state.
import type { Sampling } from '../../../src/core/sampling.ts'
import { LENGTHS, STEADY } from '../../../src/core/sampling.ts'
import type { Settings } from '../../../src/storage/records.ts'

export type Mood = Settings['mood']

/** A sampler that has a slider; the seed has its own row, and the end of an answer goes by its length. */
export type SamplerOption = Exclude<keyof Sampling, 'seed' | 'endBonus' | 'endAfter'>

/** What each length says of itself, shortest first. */
export const lengths: readonly { readonly value: Settings['length']; readonly name: string }[] = [
  { value: 'short', name: 'Short' },
  { value: 'medium', name: 'Medium' },
  { value: 'free', name: 'As long as it likes' },
]

const { temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, guidance, roleGuidance } = STEADY

/**
 * What each mood sets, and how it is told. Chosen by reading SmolLM2's answers to the same openings as four of the cast:
 * above a temperature of 0.5 it forgets who it is, without a penalty every third answer goes round in circles, and a
 * window that reaches back into the prompt makes it avoid the very names in it ("I am Inspector Thistleramnon").
 */
export const moods: Readonly<
  Record<
    Mood,
    {
      readonly name: string
      readonly about: string
      readonly samplers: Readonly<Record<SamplerOption, number>>
    }
  >
> = {
  steady: {
    name: 'Steady',
    about: 'Keeps to the likely word. Fewest slips.',
    samplers: { temperature, topK, topP, minP, repetitionPenalty, repetitionWindow, guidance, roleGuidance },
  },
  lively: {
    name: 'Lively',
    about: 'Some surprise in every line.',
    samplers: {
      temperature: 0.8,
      topK: 0,
      topP: 1,
      minP: 0.08,
      repetitionPenalty: 1.1,
      repetitionWindow: 32,
      guidance,
      roleGuidance,
    },
  },
  wild: {
    name: 'Wild',
    about: 'Says what nobody expects, them included.',
    samplers: {
      temperature: 1.1,
      topK: 0,
      topP: 1,
      minP: 0.05,
      repetitionPenalty: 1.05,
      repetitionWindow: 32,
      guidance,
      roleGuidance,
    },
  },
  exact: {
    name: 'Exact',
    about: 'The one likeliest line, every time. For comparing.',
    samplers: {
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      repetitionPenalty: 1,
      repetitionWindow: 96,
      guidance: 0,
      roleGuidance: 1,
    },
  },
}

export interface SamplerSlider {
  readonly key: SamplerOption
  readonly name: string
  readonly about: string
  readonly min: number
  readonly max: number
  readonly step: number
}

/** The sliders of guidance, which stand by themselves: the second reading of an answer is of one or the other. */
export const guidanceSlider: SamplerSlider = {
  key: 'guidance',
  name: 'Keeps to the question',
  about: 'Reads the chat once more with another last message, and says what belongs to yours. 0 does not.',
  min: 0,
  max: 2,
  step: 0.1,
}

export const roleGuidanceSlider: SamplerSlider = {
  key: 'roleGuidance',
  name: 'Leans into the role',
  about:
    'Reads the chat once more as the bare model, and says what only the character would. 1 does not. It takes the place of keeping to the question: there is one second reading at a time.',
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
    name: 'Temperature',
    about: 'How far from the likeliest word. 0 takes it always.',
    min: 0,
    max: 2,
    step: 0.05,
  },
  {
    key: 'minP',
    name: 'Min-p',
    about: 'Leaves out words less likely than this share of the likeliest.',
    min: 0,
    max: 0.5,
    step: 0.01,
  },
  {
    key: 'topP',
    name: 'Top-p',
    about: 'Keeps the likeliest words up to this total. 1 keeps all.',
    min: 0.05,
    max: 1,
    step: 0.05,
  },
  {
    key: 'topK',
    name: 'Top-k',
    about: 'Keeps this many of the likeliest words. 0 keeps all.',
    min: 0,
    max: 200,
    step: 1,
  },
  {
    key: 'repetitionPenalty',
    name: 'Repetition penalty',
    about: 'Makes words said lately less likely. 1 does nothing.',
    min: 1,
    max: 1.5,
    step: 0.01,
  },
  {
    key: 'repetitionWindow',
    name: 'Repetition window',
    about: 'How many tokens back “lately” goes.',
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
  return key === 'guidance' && !affordsGuidance ? 0 : moods[mood].samplers[key]
}

/** The samplers of the settings: the mood's, with what the visitor changed, the length of answers, and a seed. */
export function samplingOf(
  settings: Pick<Settings, 'mood' | 'overrides' | 'length'>,
  seed: number,
  affordsGuidance: boolean,
): Sampling {
  const { mood, length } = settings
  const base = { ...moods[mood].samplers, guidance: ownValue(mood, 'guidance', affordsGuidance) }
  const changed = samplers.flatMap(({ key, min, max }) => {
    const value = settings.overrides[key]
    return value === undefined ? [] : [[key, Math.min(max, Math.max(min, value))] as const]
  })
  return { ...base, ...Object.fromEntries(changed), ...LENGTHS[length], seed }
}
