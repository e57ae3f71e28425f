import { describe, expect, test } from 'vitest'

import { configOf, valueOf, withOption } from '../../../app/stores/teach/config.ts'
import { optionGroups, stepsOption } from '../../../app/stores/teach/options.ts'
import type { TrainingOption } from '../../../app/stores/teach/options.ts'
import { optionText } from '../../../app/words/option.ts'
import { readTrainConfig } from '../../../src/train/settings/config.ts'

const options: readonly TrainingOption[] = [stepsOption, ...optionGroups.flatMap((group) => group.options)]

const option = (key: string): TrainingOption => options.find((one) => one.key === key)!

/** The entry of a configuration that a key with dots names. */
const entryOf = (config: unknown, key: string): unknown =>
  key.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], config)

describe('the settings', () => {
  const defaults = readTrainConfig({})

  test.each(options.map(({ key }) => key))('%s has the default of the engine', (key) => {
    const { initial } = option(key)
    // An empty field follows the learning rate, an empty line is none.
    const expected = key === 'learningRateB' ? null : key === 'system' ? '' : entryOf(defaults, key)
    expect(initial).toEqual(expected)
  })

  test('cover the whole configuration', () => {
    const leaves = Object.entries(defaults).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null && (key === 'betas' || !Array.isArray(value))
        ? Object.keys(value).map((inner) => `${key}.${inner}`)
        : [key],
    )
    // The page's trainer refuses a likelihood gap.
    const gap = Object.keys(defaults.gap).map((inner) => `gap.${inner}`)
    const others = ['mode', 'role', ...gap]
    expect(new Set([...options.map(({ key }) => key), ...others])).toEqual(new Set(leaves))
  })

  test.each(options.map(({ key }) => key))('%s is told in one sentence', (key) => {
    expect(optionText(`${key}.about`)).toMatch(/^[^.]+\.$/)
  })

  test('at its default again a setting is no change', () => {
    const changed = withOption({}, option('rank'), 4)
    expect(changed).toEqual({ rank: 4 })
    expect(valueOf(changed, option('rank'))).toBe(4)
    expect(withOption(changed, option('rank'), 8)).toEqual({})
    expect(
      withOption({ targets: ['q'] }, option('targets'), [...(option('targets').initial as string[])]),
    ).toEqual({})
  })
})

describe('the configuration', () => {
  const plan = { way: 'all', role: null, hasStart: false, overrides: {} } as const

  test('of untouched settings is what the engine would take by itself, with checkpoints often enough', () => {
    expect(readTrainConfig(configOf(plan))).toEqual({ ...readTrainConfig({}), checkpointEvery: 5 })
  })

  test('puts every change where it belongs', () => {
    const overrides = { steps: 400, 'betas.1': 0.95, 'contrast.weight': 0.3, 'sources.B': 'table', rank: 4 }
    expect(readTrainConfig(configOf({ ...plan, overrides }))).toMatchObject({
      steps: 400,
      betas: [0.9, 0.95],
      contrast: { form: 'table', weight: 0.3 },
      sources: { A: 'hyper', B: 'table' },
      rank: 4,
      checkpointEvery: 20,
    })
  })

  test('leaves its shape to the pack it goes on from', () => {
    const config = configOf({
      way: 'quick',
      role: 'Captain',
      hasStart: true,
      overrides: { rank: 4, 'hypernetwork.hidden': 32, dropout: 0.1 },
    })
    expect(config).toEqual({ steps: 100, mode: 'quick', role: 'Captain', checkpointEvery: 5, dropout: 0.1 })
  })
})
