import { csvRows } from './csv.ts'
import type { CsvHeader } from './csv.ts'
import { Fields } from './fields.ts'
import type { DatasetOptions } from './reading.ts'
import { addRecord, kindOf } from './records.ts'
import type { Sinks } from './records.ts'
import { isTooLong } from './textRows.ts'

/** Whether columns say by their names what is what. */
export function areKnown(columns: readonly string[]): boolean {
  return kindOf(new Fields(columns.map((column) => [column, 'name'] as const))) !== null
}

/** The names under which a row of the family is read, by the user's columns. */
function mapped(
  columns: readonly string[],
  cells: readonly string[],
  { role, user, reply }: NonNullable<DatasetOptions['columns']>,
): readonly (readonly [string, string])[] {
  const cell = (column: string): string => cells[columns.indexOf(column)] ?? ''
  const split = columns.findIndex((column) => column.toLowerCase() === 'split')
  return [
    ...(role === undefined ? [] : [['character', cell(role)] as const]),
    ['question', cell(user)],
    ['answer', cell(reply)],
    ...(split < 0 ? [] : [['split', cells[split] ?? ''] as const]),
  ]
}

/** Reads a CSV text, a row a record, by the user's columns or those that the header's names suggest. */
export function addTable(text: string, header: CsvHeader, sinks: Sinks): void {
  const { columns } = header
  const { into, options } = sinks
  const { role, user, reply } = options.columns ?? {}
  const missing = [role, user, reply].find((column) => column !== undefined && !columns.includes(column))
  if (missing !== undefined) into.reject(1, `it has no column ${JSON.stringify(missing)}`)
  else if (!options.columns && !areKnown(columns))
    into.reject(1, `which of its columns are the visitor’s and the character’s is unknown`)
  else addRows(text, header, sinks)
}

function addRows(text: string, header: CsvHeader, sinks: Sinks): void {
  const { columns } = header
  const { into, options } = sinks
  const twice = columns.find((column, index) => column !== '' && columns.indexOf(column) < index)
  if (twice !== undefined) into.tell(`Two columns are called ${twice}; the first is read.`)
  for (const { line, cells, fault } of csvRows(text, header)) {
    if (fault !== undefined) into.reject(line, fault)
    else if (cells.some(isTooLong)) into.reject(line, 'it is longer than 1 MiB')
    else {
      const entries = options.columns
        ? mapped(columns, cells, options.columns)
        : columns.map((column, index) => [column, cells[index] ?? ''] as const)
      addRecord({ fields: new Fields(entries), line }, sinks)
    }
  }
}
