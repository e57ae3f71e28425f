import { parseArgs } from 'node:util'

import { HycoraError, check } from '../core/errors.ts'

/** The parsed words of a command: its operands and its options by name, without the dashes. */
export interface Arguments {
  readonly operands: readonly string[]
  readonly options: ReadonlyMap<string, string>
  /** What options that may be given several times were given, in order. */
  readonly lists: ReadonlyMap<string, readonly string[]>
}

/**
 * Splits `words` into operands and options. `flags` stand alone; every other `--name` takes the next word, or what
 * follows it behind an equals sign; `repeated` ones may be given several times.
 *
 * @throws HycoraError `usage` naming an option that is unknown, repeated or without its value.
 */
export function parseArguments(
  words: readonly string[],
  known: {
    readonly values: readonly string[]
    readonly flags: readonly string[]
    readonly repeated?: readonly string[]
  },
): Arguments {
  const { repeated = [] } = known
  const values = [...known.values, ...repeated]
  const kinds = [
    ...values.map((name) => [name, { type: 'string' as const }] as const),
    ...known.flags.map((name) => [name, { type: 'boolean' as const }] as const),
  ]
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(kinds),
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const operands: string[] = []
  const options = new Map<string, string>()
  const lists = new Map<string, readonly string[]>()
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    const isFlag = known.flags.includes(name)
    const isKnown = rawName.startsWith('--') && (isFlag || values.includes(name))
    check(isKnown, 'usage', () => `there is no option ${rawName} here`)
    check(!options.has(name), 'usage', () => `--${name} is given twice`)
    check(isFlag || value !== undefined, 'usage', () => `--${name} needs a value after it`)
    check(!isFlag || value === undefined, 'usage', () => `--${name} takes no value`)
    if (repeated.includes(name)) lists.set(name, [...(lists.get(name) ?? []), value ?? ''])
    else options.set(name, value ?? '')
  }
  return { operands, options, lists }
}

/** The value of an option that must be there. */
export function required(options: ReadonlyMap<string, string>, name: string): string {
  const value = options.get(name)
  if (value === undefined) throw new HycoraError('usage', `--${name} is missing`)
  return value
}

/** A list of token ids such as `5,9,77`. */
export function idList(text: string, name: string): number[] {
  const ids = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN))
  check(
    ids.every((id) => Number.isSafeInteger(id)),
    'usage',
    () => `--${name} is "${text}", expected token ids such as 5,9,77`,
  )
  return ids
}

/** A number of an option, or its default. */
export function numberOption(options: ReadonlyMap<string, string>, name: string, fallback: number): number {
  const text = options.get(name)
  if (text === undefined) return fallback
  const value = Number(text)
  check(
    text.trim() !== '' && Number.isFinite(value),
    'usage',
    () => `--${name} is "${text}", expected a number`,
  )
  return value
}

/** A whole number of an option, from `least` to `most`, or its default. */
export function integerOption(
  options: ReadonlyMap<string, string>,
  name: string,
  fallback: number,
  { least, most = 2 ** 32 - 1 }: { readonly least: number; readonly most?: number },
): number {
  if (!options.has(name)) return fallback
  const value = numberOption(options, name, fallback)
  check(
    Number.isInteger(value) && value >= least && value <= most,
    'usage',
    () => `--${name} is ${value}, expected a whole number from ${least} to ${most}`,
  )
  return value
}
