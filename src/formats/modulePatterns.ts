import { isJsonRecord, ownField, type JsonRecord } from '../core/json.ts'

/*
 * How PEFT tells the modules of a model apart: by names, ends of names and regular expressions.
 *
 * Reference: huggingface/peft, `check_target_module_exists` in `src/peft/tuners/tuners_utils.py`, `get_pattern_key` in
 * `src/peft/utils/other.py`.
 */

const MOST_CHARACTERS = 4096
/** Expressions that repeat anything without an end, of one table. */
const MOST_REPEATING = 16
/** Repetitions without an end in one expression: each multiplies the time that a name may take by its length. */
const MOST_REPETITIONS = 3

/**
 * A stranger's regular expression, to be found from the start of a name; null for one that is not valid here, or that
 * could take very long: with many endless repetitions, or with repeated groups that repeat or choose within.
 */
export function moduleExpression(source: string, around: (source: string) => string): RegExp | null {
  if (source.length > MOST_CHARACTERS || !isQuick(source)) return null
  try {
    return new RegExp(`^(?:${around(source)})`)
  } catch {
    return null
  }
}

/** Whether an expression's time is bounded by a small power of the length of what it is compared with. */
function isQuick(source: string): boolean {
  const parts = source.match(/\\.|\[(?:\\.|[^\]\\])*\]|[*+?]|\{\d*,?\d*\}|\(|\)|\||[^]/g) ?? []
  /** Of each open group: whether something within repeats or is chosen. */
  const open: boolean[] = []
  let repetitions = 0
  let closed = false
  for (const [index, part] of parts.entries()) {
    const isRepetition = /^(?:[*+]|\{.*\})$/.test(part)
    if (/^\\[1-9k]/.test(part)) return false
    if (isRepetition && parts[index - 1] === ')' && closed) return false
    if (part === '*' || part === '+' || /^\{\d*,\}$/.test(part)) repetitions++
    if (part === '(') open.push(false)
    else if (part === ')') {
      closed = open.pop() ?? false
      if (closed && open.length > 0) open[open.length - 1] = true
    } else if ((isRepetition || part === '|') && open.length > 0) open[open.length - 1] = true
  }
  return repetitions <= MOST_REPETITIONS
}

/** Values by patterns of module names, as `rank_pattern` and `alpha_pattern` are; the first that matches counts. */
export interface ModulePattern {
  readonly matches: RegExp
  readonly value: unknown
}

/** @returns the patterns, or the first key that is not read here. */
export function modulePatterns(patterns: JsonRecord): readonly ModulePattern[] | string {
  const read: ModulePattern[] = []
  let repeating = 0
  for (const [key, value] of Object.entries(patterns)) {
    const matches = moduleExpression(key, (source) => `(.*\\.)?(${source})$`)
    if (/[*+]|,\}/.test(key)) repeating++
    if (!matches || repeating > MOST_REPEATING) return key
    read.push({ matches, value })
  }
  return read
}

/** What stands for a module's name, looked for once a module; undefined where no pattern fits. */
export function patternLookup(patterns: readonly ModulePattern[]): (module: string) => unknown {
  const known = new Map<string, unknown>()
  return (module) => {
    if (!known.has(module)) known.set(module, patterns.find(({ matches }) => matches.test(module))?.value)
    return known.get(module)
  }
}

/**
 * Whether an adapter's configuration is about a module: `target_modules` (names, ends of names, or one expression),
 * `exclude_modules`, `layers_to_transform` with `layers_pattern`. Null where an expression is not read here.
 */
export function isTargeted(config: JsonRecord, module: string): boolean | null {
  const [targets, excluded] = [ownField(config, 'target_modules'), ownField(config, 'exclude_modules')]
  const isExcluded = excluded === undefined || excluded === null ? false : isNamed(excluded, module)
  if (isExcluded !== false) return isExcluded === null ? null : false
  if (targets === 'all-linear') return true
  const isTarget = isNamed(targets, module)
  if (isTarget !== true || typeof targets === 'string') return isTarget
  return isInLayers(config, module)
}

function isNamed(names: unknown, module: string): boolean | null {
  if (typeof names === 'string')
    return moduleExpression(names, (source) => `(?:${source})$`)?.test(module) ?? null
  if (!Array.isArray(names)) return null
  return names.some((name) => typeof name === 'string' && (module === name || module.endsWith(`.${name}`)))
}

function isInLayers(config: JsonRecord, module: string): boolean | null {
  const layers = ownField(config, 'layers_to_transform')
  if (layers === undefined || layers === null || (Array.isArray(layers) && layers.length === 0)) return true
  const stated = ownField(config, 'layers_pattern')
  const patterns = typeof stated === 'string' ? [stated] : Array.isArray(stated) ? stated : []
  const texts = patterns.filter((pattern): pattern is string => typeof pattern === 'string' && pattern !== '')
  const expressions = (texts.length === 0 ? ['[^.]*'] : texts).map((pattern) =>
    moduleExpression(pattern, (source) => `(?:.*?\\.)?${source}\\.(\\d+)\\.`),
  )
  if (expressions.some((expression) => !expression)) return null
  const found = expressions.map((expression) => expression?.exec(module)?.at(-1)).find((index) => index)
  if (found === undefined) return false
  const layer = Number(found)
  return Array.isArray(layers) ? layers.includes(layer) : layers === layer
}

/** Whether a value says nothing: null, false, an empty list or an empty object. */
export function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true
  return (Array.isArray(value) || isJsonRecord(value)) && Object.keys(value).length === 0
}
