/** A record of a table, or why it cannot be read. */
export interface CsvRecord {
  readonly line: number
  readonly cells: readonly string[]
  readonly fault?: string
}

/** What a table's first record says. */
export interface CsvHeader {
  readonly columns: readonly string[]
  readonly delimiter: string
}

const DELIMITERS = [',', '\t', ';', '|']
const MAX_CELLS = 1024
/** How Excel says which delimiter follows. */
const SEPARATOR_LINE = /^\s*"?sep=(.)"?[^\n]*(?:\n|$)/i

/**
 * The records of a CSV text: cells in quotes may hold the delimiter, line breaks and doubled quotes; a line that says the
 * delimiter is none. After a record that cannot be read, reading goes on with the next line.
 *
 * Reference: RFC 4180.
 */
export function* csvRecords(text: string, delimiter: string): Generator<CsvRecord> {
  const said = SEPARATOR_LINE.exec(text)?.[0] ?? ''
  let line = 1 + said.split('\n').length - 1
  for (let at = said.length; at < text.length;) {
    const record = readRecord(text, at, delimiter)
    const newline = text.indexOf('\n', at)
    const end = record.fault === undefined ? record.end : newline < 0 ? text.length : newline + 1
    const isBlank = record.cells.every((cell) => cell.trim() === '')
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
      cells.push(text.slice(begin, at))
    }
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

/** Cells without the empty ones at the end, which spreadsheets pad rows with. */
function withoutPadding(cells: readonly string[], least: number): readonly string[] {
  let length = cells.length
  while (length > least && cells[length - 1]?.trim() === '') length--
  return cells.slice(0, length)
}

/** The records below a header, each with as many cells as it has columns. */
export function* csvRows(text: string, { columns, delimiter }: CsvHeader): Generator<CsvRecord> {
  let isHeader = true
  for (const record of csvRecords(text, delimiter)) {
    if (isHeader) {
      isHeader = false
      continue
    }
    const cells = withoutPadding(record.cells, columns.length)
    const isEven = record.fault !== undefined || cells.length === columns.length
    const fault = `it has ${cells.length} cells, the header has ${columns.length}`
    yield isEven ? { ...record, cells } : { ...record, fault }
  }
}

/**
 * The header of a CSV text: by the delimiter that its first line names, else by the one that makes columns which are
 * known, else by the one that makes most of them.
 *
 * @param isKnown whether columns can be read.
 */
export function csvHeader(text: string, isKnown: (columns: readonly string[]) => boolean): CsvHeader | null {
  const said = SEPARATOR_LINE.exec(text)?.[1]
  const headers = (said === undefined ? DELIMITERS : [said]).map((delimiter): CsvHeader => {
    const [first] = csvRecords(text.slice(0, 2 ** 16), delimiter)
    return { columns: withoutPadding(first?.cells ?? [], 1).map((cell) => cell.trim()), delimiter }
  })
  const widest = headers.reduce((best, header) =>
    header.columns.length > best.columns.length ? header : best,
  )
  const known = headers.filter(({ columns }) => isKnown(columns))
  const best = known.find(({ columns }) => columns.length === widest.columns.length) ?? known[0]
  if (best) return best
  return widest.columns.length > 1 && widest.delimiter !== '|' ? widest : null
}
