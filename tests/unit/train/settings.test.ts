import { describe, expect, test } from 'vitest'

import { optionGroups, stepsOption } from '../../../app/stores/teach/options.ts'
import type { TrainingOption } from '../../../app/stores/teach/options.ts'
import { DEFAULT_CONFIG, readTrainConfig } from '../../../src/train/settings/config.ts'
import { textOf } from '../../support/documents.ts'

/**
 * The settings of training stand three times, as different programs need them: in the engine's configuration, in its
 * Python twin's, and among the page's options. Here the twin's text is held to what the engine does, and the page's table
 * to the twin's.
 */
const python = textOf('scale/hycora_scale/config.py')

/** A setting as the twin reads it: between which numbers, or out of which words. */
type Setting = { readonly key: string } & (
  | { readonly kind: 'integer' | 'number'; readonly least: number; readonly most: number }
  | { readonly kind: 'choice'; readonly words: readonly string[] }
)

/** What a function of the twin reads, by where its keys stand. */
const OUTER: Readonly<Record<string, string>> = {
  _sources: 'sources.',
  _contrast: 'contrast.',
  _gap: 'gap.',
  _sizes: 'hypernetwork.',
  read_train_config: '',
}

/** A module's constant, or the text itself. */
function constant(text: string): string {
  const line = python.split('\n').find((one) => one.startsWith(`${text} = `))
  return line?.slice(text.length + 3) ?? text
}

function numberOf(text: string): number {
  const [, base, exponent, less = '0'] = /^(\d+)\*\*(\d+)(?: - (\d+))?$/.exec(constant(text)) ?? []
  return base === undefined ? Number(text) : Number(base) ** Number(exponent) - Number(less)
}

function wordsIn(text: string): string[] {
  return [...constant(text).matchAll(/"([^"]+)"/g)].map(([, word]) => word!)
}

const settings: readonly Setting[] = python.split(/^def /m).flatMap((part) => {
  const outer = OUTER[/^\w+/.exec(part)?.[0] ?? '']
  if (outer === undefined) return []
  const calls = part.matchAll(/fields\.(integer|number|choice)\("(\w+)", [^,]+, ((?:[^()]|\([^()]*\))+)\)/g)
  return [...calls].map(([, kind, name, rest = '']): Setting => {
    const key = `${outer}${name}`
    if (kind === 'choice') return { key, kind, words: wordsIn(rest) }
    const [least, most] = rest.split(', ').map(numberOf)
    return { key, kind: kind === 'integer' ? kind : 'number', least: least!, most: most! }
  })
})

/** What both read by rules of their own, with values that they take and refuse. */
const BY_RULE = ['betas', 'targets', 'role', 'system']

/** The twin's defaults, as JSON would have them. */
function defaultsOf(record: string): Record<string, unknown> {
  const [, after = ''] = python.split(`\nclass ${record}:\n`)
  const [body = ''] = after.split(/^(?=\S)/m)
  const fields = [...body.matchAll(/^ {4}(\w+): [^=\n]+ = (.+)$/gm)]
  return Object.fromEntries(fields.map(([, name, text = '']) => [name, valueOf(text)]))
}

function valueOf(text: string): unknown {
  const inner = /default_factory=(\w+)/.exec(text)?.[1]
  if (inner) return defaultsOf(inner)
  if (text === 'None') return null
  const json = constant(text).replace(/^\((.*)\)$/, '[$1]')
  return JSON.parse(json)
}

/** A configuration with one entry, where its key with dots points. */
function configWith(key: string, value: unknown): unknown {
  const [outer = key, inner] = key.split('.')
  return { role: 'Ada', [outer]: inner === undefined ? value : { [inner]: value } }
}

/** What the engine says of a value; null where it takes it. */
function complaint(key: string, value: unknown): string | null {
  try {
    readTrainConfig(configWith(key, value))
    return null
  } catch (error) {
    return String(error)
  }
}

/** The next value below and above bounds that must not be taken. */
function beyond({
  kind,
  least,
  most,
}: Setting & { readonly least: number; readonly most: number }): number[] {
  if (kind === 'integer') return [least - 1, most + 1]
  return [least === 0 ? -1e-9 : least / 2, most * (1 + 1e-9)]
}

test('the twin’s file is read whole', () => {
  const keys = [...settings.map(({ key }) => key), ...BY_RULE]
  const leaves = Object.entries(DEFAULT_CONFIG).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.keys(value).map((inner) => `${key}.${inner}`)
      : [key],
  )
  expect(new Set(keys)).toEqual(new Set(leaves))
})

test('the twin has the engine’s defaults', () => {
  expect(defaultsOf('TrainConfig')).toEqual(DEFAULT_CONFIG)
})

const numbers = settings.filter((setting) => setting.kind !== 'choice')
const choices = settings.filter((setting) => setting.kind === 'choice')
const options: readonly TrainingOption[] = [stepsOption, ...optionGroups.flatMap((group) => group.options)]
const optionOf = (key: string): TrainingOption | undefined => options.find((option) => option.key === key)

describe.each(numbers)('$key, from $least to $most', (setting) => {
  const { key, kind, least, most } = setting

  test('is taken and refused by the engine as by its twin', () => {
    expect([least, most].map((value) => complaint(key, value))).toEqual([null, null])
    const name = key.split('.').at(-1)
    for (const value of beyond(setting)) expect(complaint(key, value)).toContain(`${name} is ${value}`)
    const half = complaint(key, kind === 'integer' ? least + 0.5 : (least + most) / 2)
    expect(half ?? 'taken').toContain(kind === 'integer' ? 'an integer' : 'taken')
  })
})

// The page's trainer refuses a likelihood gap.
test.each(numbers.filter(({ key }) => !key.startsWith('gap.')))(
  '$key has the same bounds in the page',
  ({ key, kind, least, most }) => {
    // Nobody waits for more than a million steps in a tab.
    const max = key === 'steps' ? 1_000_000 : most
    const option = optionOf(key)
    expect(option).toMatchObject({ kind: 'number', min: least, max })
    expect(option?.kind === 'number' && option.isWhole === true).toBe(kind === 'integer')
  },
)

test.each(choices)('$key is one of $words for the engine as for its twin', ({ key, words }) => {
  expect(words.filter((word) => complaint(key, word) !== null)).toEqual([])
  const expected = words.map((word) => `"${word}"`).join(' or ')
  expect(complaint(key, 'no such word')).toContain(`expected ${expected}`)
})

// The way to go on, `mode`, is chosen elsewhere.
test.each(choices.filter(({ key }) => key !== 'mode'))(
  '$key offers the same in the page',
  ({ key, words }) => {
    const option = optionOf(key)
    const offered = option?.kind === 'choice' ? option.choices.map(({ value }) => value) : []
    expect(offered.toSorted()).toEqual(words.toSorted())
  },
)
