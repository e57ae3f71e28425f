import { isJsonRecord } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'

/** A piece of a file, with the line it begins on. */
export interface TextRow {
  readonly line: number
  readonly text: string
}

const MAX_ROW_BYTES = 2 ** 20
const MAX_DEPTH = 32

/** Whether a row takes more than 1 MiB as UTF-8. */
export function isTooLong(text: string): boolean {
  if (text.length > MAX_ROW_BYTES) return true
  return text.length > MAX_ROW_BYTES / 3 && new TextEncoder().encode(text).length > MAX_ROW_BYTES
}

/** The lines of a text that hold anything, one at a time. */
export function* textLines(text: string): Generator<TextRow> {
  let line = 1
  for (let start = 0; start <= text.length; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const row = text.slice(start, end)
    if (row.trim() !== '') yield { line, text: row.endsWith('\r') ? row.slice(0, -1) : row }
    start = end + 1
  }
}

/** The elements of the array that a text is, as text: each is parsed by itself, so that one bad row is one bad row. */
export function* arrayElements(text: string): Generator<TextRow> {
  let line = 1
  let depth = 0
  let start = -1
  let startLine = 1
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\n') line++
    if (isQuoted) {
      if (character === '\\') at++
      else if (character === '"') isQuoted = false
      continue
    }
    if (depth === 1 && start >= 0 && (character === ',' || character === ']')) {
      yield { line: startLine, text: text.slice(start, at) }
      start = -1
    }
    if (depth === 1 && start < 0 && !/[\s,\]]/.test(character)) [start, startLine] = [at, line]
    if (character === '"') isQuoted = true
    else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth === 0 && character === ']') return
  }
  if (start >= 0) yield { line: startLine, text: text.slice(start) }
}

/** Whether brackets nest deeper than 32 levels, counted without parsing. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) isQuoted = !isQuoted
    else if (isQuoted) {
      if (code === 0x5c) at++
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > MAX_DEPTH) return true
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return false
}

/** A row's JSON object, or why it is none. */
export function parseRecord(text: string): { readonly record: JsonRecord } | { readonly reason: string } {
  if (isTooLong(text)) return { reason: 'it is longer than 1 MiB' }
  if (isTooDeep(text)) return { reason: `it nests deeper than ${MAX_DEPTH} levels` }
  try {
    const record: unknown = JSON.parse(text)
    return isJsonRecord(record) ? { record } : { reason: 'it is not a JSON object' }
  } catch {
    return { reason: 'it is not valid JSON' }
  }
}
