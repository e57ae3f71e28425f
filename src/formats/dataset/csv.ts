import { isTooLong } from './jsonRows.ts'
import type { DatasetOptions, DialogueCollector } from './reading.ts'

interface CsvRecord {
  readonly line: number
  readonly cells: readonly string[]
  /** Why the record cannot be read. */
  readonly fault?: string
}

const DELIMITERS = [',', '\t', ';']
const MAX_CELLS = 1024

/**
 * The records of a CSV text: cells in quotes may hold the delimiter, line breaks and doubled quotes. After a record that
 * cannot be read, reading goes on with the next line.
 *
 * Reference: RFC 4180.
 */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  let line = 1
  for (let at = 0; at < text.length;) {
    const record = readRecord(text, at, delimiter)
    const newline = text.indexOf('\n', at)
    const end = record.fault === undefined ? record.end : newline < 0 ? text.length : newline + 1
    const isBlank = record.cells.length === 1 && record.cells[0]?.trim() === ''
    if (record.fault !== undefined) yield { line, cells: [], fault: record.fault }
    else if (!isBlank) yield { line, cells: record.cells }
    for (let cursor = text.indexOf('\n', at); cursor >= 0 && cursor < end;) {
      line++
      cursor = text.indexOf('\n', cursor + 1)
    }
    at = end
  }
}

function readRecord(
  text: string,
  start: number,
  delimiter: string,
): { readonly cells: string[]; readonly end: number; readonly fault?: string } {
  const cells: string[] = []
  const fault = (reason: string) => ({ cells, end: start, fault: reason })
  let at = start
  for (;;) {
    if (at - start > 2 ** 20) return fault('it is longer than 1 MiB')
    if (cells.length >= MAX_CELLS) return fault(`it has more than ${MAX_CELLS} cells`)
    if (text.charAt(at) === '"') {
      const cell = readQuoted(text, at)
      if (cell === undefined) return fault('a quotation mark is not closed within 1 MiB')
      cells.push(cell.text)
      at = cell.end
    } else {
      const begin = at
      while (at < text.length && text.charAt(at) !== delimiter && text.charAt(at) !== '\n') at++
      const cell = text.slice(begin, at)
      cells.push(text.charAt(at) === '\n' || at >= text.length ? cell.replace(/\r$/, '') : cell)
    }
    if (text.charAt(at) === '\r' && text.charAt(at + 1) === '\n') at++
    if (at >= text.length) return { cells, end: at }
    const next = text.charAt(at++)
    if (next === '\n') return { cells, end: at }
    if (next !== delimiter) return fault('text follows a closing quotation mark')
  }
}

function readQuoted(
  text: string,
  start: number,
): { readonly text: string; readonly end: number } | undefined {
  for (let at = start + 1; at < text.length && at - start <= 2 ** 20; at++) {
    if (text.charAt(at) !== '"') continue
    if (text.charAt(at + 1) !== '"')
      return { text: text.slice(start + 1, at).replaceAll('""', '"'), end: at + 1 }
    at++
  }
  return undefined
}

/** The header of a CSV text under whichever delimiter gives most columns; null when it has fewer than two. */
export function csvHeader(
  text: string,
): { readonly columns: readonly string[]; readonly delimiter: string } | null {
  const headers = DELIMITERS.map((delimiter) => {
    const [first] = csvRecords(text.slice(0, 2 ** 16), delimiter)
    return { columns: (first?.cells ?? []).map((cell) => cell.trim()), delimiter }
  })
  const widest = headers.reduce((best, header) =>
    header.columns.length > best.columns.length ? header : best,
  )
  return widest.columns.length > 1 ? widest : null
}

const ROLE_COLUMNS = ['role', 'character', 'char', 'name', 'persona', 'speaker', 'character_name']
const USER_COLUMNS = [
  'user',
  'question',
  'prompt',
  'instruction',
  'input',
  'visitor',
  'human',
  'message',
  'query',
]
const REPLY_COLUMNS = [
  'reply',
  'response',
  'answer',
  'output',
  'assistant',
  'completion',
  'bot',
  'line',
  'text',
]

/** Which columns are what by their names; null when no column is the visitor's or none the character's. */
export function guessColumns(columns: readonly string[]): DatasetOptions['columns'] | null {
  const lower = columns.map((column) => column.toLowerCase())
  const find = (names: readonly string[]): string | undefined => {
    const name = names.find((candidate) => lower.includes(candidate))
    return name === undefined ? undefined : columns[lower.indexOf(name)]
  }
  const [role, user, reply] = [find(ROLE_COLUMNS), find(USER_COLUMNS), find(REPLY_COLUMNS)]
  if (user === undefined || reply === undefined) return null
  return role === undefined ? { user, reply } : { role, user, reply }
}

/** Reads a CSV text, one exchange a record, by the user's columns or those that the header's names suggest. */
export function addCsv(
  text: string,
  { columns, delimiter }: { readonly columns: readonly string[]; readonly delimiter: string },
  options: DatasetOptions,
  into: DialogueCollector,
): void {
  const mapping = options.columns ?? guessColumns(columns)
  if (!mapping) {
    into.reject(1, `which of its columns are the visitor’s and the character’s is unknown`)
    return
  }
  const place = (column: string | undefined): number => (column === undefined ? -1 : columns.indexOf(column))
  const [role, user, reply] = [place(mapping.role), place(mapping.user), place(mapping.reply)]
  const split = columns.map((column) => column.toLowerCase()).indexOf('split')
  const missing = [mapping.role, mapping.user, mapping.reply].find(
    (column) => column !== undefined && !columns.includes(column),
  )
  if (missing !== undefined) {
    into.reject(1, `it has no column ${JSON.stringify(missing)}`)
    return
  }
  let isHeader = true
  for (const { line, cells, fault } of csvRecords(text, delimiter)) {
    if (isHeader) isHeader = false
    else if (fault !== undefined) into.reject(line, fault)
    else if (cells.length !== columns.length)
      into.reject(line, `it has ${cells.length} cells, the header has ${columns.length}`)
    else if (cells.some(isTooLong)) into.reject(line, 'it is longer than 1 MiB')
    else {
      const named = cells[role]?.trim()
      into.add({ line, role: named ? named : options.roleName, split: cells[split]?.trim() || undefined }, [
        { speaker: 'user', text: cells[user] },
        { speaker: 'role', text: cells[reply] },
      ])
    }
  }
}
