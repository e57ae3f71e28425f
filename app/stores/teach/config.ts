// What a visitor changed of the settings, and the configuration that it makes. Pure functions, no state.
import type { Recipe } from '../../../src/cast/castRecipe.ts'
import { BETAS, optionGroups, stepsOption } from './options.ts'
import type { OptionValue, TrainingOption } from './options.ts'

/** What the visitor changed, by key. */
export type ChosenOptions = Readonly<Record<string, OptionValue>>

/** The overrides after one more choice; what is back at its default is no longer one. */
export function withOption(
  overrides: ChosenOptions,
  option: TrainingOption,
  value: OptionValue,
): ChosenOptions {
  const others = Object.entries(overrides).filter(([key]) => key !== option.key)
  return Object.fromEntries(isInitial(option, value) ? others : [...others, [option.key, value]])
}

function isInitial({ initial }: TrainingOption, value: OptionValue): boolean {
  return JSON.stringify(initial) === JSON.stringify(value)
}

/** What a recipe changes: the other way round than `put`. */
export function chosenOptions(recipe: Recipe): ChosenOptions {
  return Object.fromEntries(
    Object.entries(recipe).flatMap(([outer, value]) =>
      typeof value === 'object'
        ? Object.entries(value).map(([inner, own]) => [`${outer}.${inner}`, own] as const)
        : [[outer, value] as const],
    ),
  )
}

/** What an option stands at. */
export function valueOf(overrides: ChosenOptions, { key, initial }: TrainingOption): OptionValue {
  return overrides[key] ?? initial
}

/** The number of steps as set. */
export function stepsOf(overrides: ChosenOptions): number {
  const value = valueOf(overrides, stepsOption)
  return typeof value === 'number' ? value : stepsOption.initial
}

/** At most this share of a run is lost when the page is closed, unless the visitor says otherwise. */
const LOST_SHARE = 1 / 20

export interface ConfigOptions {
  readonly way: 'all' | 'quick' | 'full'
  /** The new role of `quick` and `full`. */
  readonly role: string | null
  /** Whether the run goes on from a pack, which decides its shape. */
  readonly hasStart: boolean
  readonly overrides: ChosenOptions
}

/** The configuration that the engine reads: what was changed, the way, and checkpoints often enough. */
export function configOf({ way, role, hasStart, overrides }: ConfigOptions): Record<string, unknown> {
  const steps = stepsOf(overrides)
  const config: Record<string, unknown> = {
    steps,
    mode: way,
    ...(way !== 'all' && { role }),
    checkpointEvery: Math.max(1, Math.min(25, Math.ceil(steps * LOST_SHARE))),
  }
  const options = optionGroups.flatMap((group) => group.options)
  for (const option of options) {
    const value = overrides[option.key]
    if (value === undefined || value === null || value === '' || (hasStart && option.isShape)) continue
    put(config, option.key, value)
  }
  return config
}

/** Writes a value where a key with dots points; `betas` is a list, of which the other half keeps its default. */
function put(config: Record<string, unknown>, key: string, value: OptionValue): void {
  const [outer = key, inner] = key.split('.')
  if (inner === undefined) config[outer] = value
  else if (outer === 'betas') {
    const present: readonly unknown[] = Array.isArray(config['betas']) ? config['betas'] : BETAS
    config['betas'] = present.with(Number(inner), value)
  } else config[outer] = Object.assign({}, config[outer], { [inner]: value })
}
