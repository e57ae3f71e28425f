import { check, HycoraError } from './errors.ts'

/** An object of parsed JSON; read it through `ownField`, never with a bracket, since its keys are a stranger's. */
export type JsonRecord = Readonly<Record<string, unknown>>

/** Whether a parsed JSON value is an object (neither null nor an array). */
export function isJsonRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of the object's own key, undefined where it has none: `constructor` and the like are never inherited. */
export function ownField(record: JsonRecord, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

const MAX_DEPTH = 128

interface OpenContainer {
  /** The keys seen so far; null in an array. */
  readonly keys: Set<string> | null
  /** Whether the next string is a key, if this is an object. */
  expectsKey: boolean
}

/**
 * Parses JSON and refuses what parsers disagree on: a key twice in one object, lone surrogates, nesting deeper than 128;
 * with `naturalsOnly`, also every number that is not a plain non-negative integer (`1.0`, `1e0`, `-0`).
 *
 * @param where what the text is, for the message, such as `pack.safetensors: the header`.
 * @throws HycoraError `format-invalid`.
 */
export function parseStrictJson(
  text: string,
  where: string,
  { naturalsOnly = false }: { readonly naturalsOnly?: boolean } = {},
): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new HycoraError('format-invalid', `${where} is not valid JSON`, { cause: error })
  }
  checkLexemes(text, where, naturalsOnly)
  return value
}

/** Walks the lexemes of a text that is known to be valid JSON. */
function checkLexemes(text: string, where: string, naturalsOnly: boolean): void {
  const open: OpenContainer[] = []
  let at = 0
  while (at < text.length) {
    const container = open.at(-1)
    const character = text.charAt(at)
    let end = at + 1
    if (character === '{' || character === '[') {
      open.push({ keys: character === '{' ? new Set() : null, expectsKey: true })
      check(
        open.length <= MAX_DEPTH,
        'format-invalid',
        () => `${where} nests deeper than ${MAX_DEPTH} levels`,
      )
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === ',') {
      if (container) container.expectsKey = true
    } else if (character === '"') {
      end = endOfString(text, at)
      checkString(text.slice(at, end), container, where)
    } else if (character === '-' || (character >= '0' && character <= '9')) {
      end = endOfNumber(text, at)
      const number = text.slice(at, end)
      check(
        !naturalsOnly || /^(?:0|[1-9]\d*)$/.test(number),
        'format-invalid',
        () => `${where} holds the number ${number.slice(0, 32)}, expected plain non-negative integers`,
      )
    }
    at = end
  }
}

/** One past the closing quote; written as a loop because a regular expression runs out of stack on megabytes. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text.charAt(at) !== '"') at += text.charAt(at) === '\\' ? 2 : 1
  return at + 1
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (/[\d.eE+-]/.test(text.charAt(at))) at++
  return at
}

function checkString(lexeme: string, container: OpenContainer | undefined, where: string): void {
  // Only escapes can hide a surrogate or spell one key in two ways.
  const text = lexeme.includes('\\') ? String(JSON.parse(lexeme)) : lexeme.slice(1, -1)
  check(text.isWellFormed(), 'format-invalid', () => `${where} holds a string with half a surrogate pair`)
  if (!container?.keys || !container.expectsKey) return
  check(
    !container.keys.has(text),
    'format-invalid',
    () => `${where} has the key ${JSON.stringify(text.slice(0, 64))} twice in one object`,
  )
  container.keys.add(text)
  container.expectsKey = false
}
