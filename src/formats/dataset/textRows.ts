/** A piece of a file, with the line it begins on. */
export interface TextRow {
  readonly line: number
  readonly text: string
}

const MAX_ROW_BYTES = 2 ** 20

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
    if (row.trim() !== '') yield { line, text: row }
    start = end + 1
  }
}
