import { isJsonRecord, ownField } from '../../core/json.ts'
import type { JsonRecord } from '../../core/json.ts'
import {
  containerSpan,
  jsonFields,
  lineCounter,
  nextStart,
  NOT_JSON,
  scalarEnd,
  skipBlanks,
} from './jsonText.ts'
import type { JsonField, JsonSpan } from './jsonText.ts'
import { isTooLong } from './textRows.ts'
import { splitOf } from './words.ts'

/** A row of a JSON text, or why there is none; `split` is the side that the list around it names. */
export type JsonRow = { readonly line: number; readonly split?: string } &
  /** `isList`: it is a list of turns and nothing else. */
  ({ readonly record: JsonRecord; readonly isList?: boolean } | { readonly reason: string })

/** What a reader of rows knows of them. */
export interface RowKinds {
  /** Whether an object is a row; else its lists may hold the rows. */
  readonly isRow: (record: JsonRecord) => boolean
  /** Whether a list is the turns of one dialogue; else its elements are rows. */
  readonly isDialogue: (list: readonly unknown[]) => boolean
  /** Told of keys beside the rows that nothing is made of. */
  readonly onLeft: (keys: readonly string[]) => void
}

/** Keys under which exporters put the rows; where an object has one of them, its other lists are about the rows. */
const LISTS: ReadonlySet<string> = new Set([
  'chats',
  'conversations',
  'data',
  'dataset',
  'dialogs',
  'dialogues',
  'entries',
  'examples',
  'instances',
  'messages',
  'records',
  'results',
  'rows',
  'samples',
  'threads',
])
/** Lists and objects within one another that are looked into for rows. */
const MAX_WRAPPED = 4

/**
 * The rows of a JSON text, in whichever way they stand in it: one a line or over several, in arrays, several arrays one
 * behind another, lists of turns, under a key or under one for each side of the split, as columns. Each is parsed by
 * itself, so that one bad row is one bad row.
 */
export function jsonRows(text: string, kinds: RowKinds): Generator<JsonRow> {
  return new RowFinder(text, kinds).values(0, undefined)
}

function isContainer(text: string, at: number): boolean {
  return text.charAt(at) === '{' || text.charAt(at) === '['
}

class RowFinder {
  private at = 0
  private readonly text: string
  private readonly kinds: RowKinds
  private readonly lineAt: (at: number) => number

  constructor(text: string, kinds: RowKinds) {
    this.text = text
    this.kinds = kinds
    this.lineAt = lineCounter(text)
  }

  /** What stands one behind another, commas or none between: the whole text, or a list to its bracket. */
  *values(depth: number, split: string | undefined): Generator<JsonRow> {
    const { text } = this
    for (;;) {
      this.at = skipBlanks(text, this.at, /[\s,]/)
      const start = this.at
      const character = text.charAt(start)
      if (character === '' || (depth > 0 && character === ']')) {
        this.at++
        return
      }
      if (character === '[' && depth < MAX_WRAPPED) yield* this.list(depth, split)
      else if (isContainer(text, start)) {
        const span = containerSpan(text, start)
        this.at = span.fault === undefined ? span.end : nextStart(text, start, depth > 0)
        yield* this.object(span, depth, split)
      } else {
        this.at = scalarEnd(text, start)
        yield this.row({ start, end: this.at }, split)
      }
    }
  }

  private *list(depth: number, split: string | undefined): Generator<JsonRow> {
    const start = this.at
    const span = containerSpan(this.text, start)
    const found = span.fault === undefined ? this.parse(span) : undefined
    if (Array.isArray(found) && this.kinds.isDialogue(found)) {
      this.at = span.end
      const where = { line: this.lineAt(start), ...(split !== undefined && { split }) }
      yield { ...where, record: { messages: found }, isList: true }
    } else {
      this.at = start + 1
      yield* this.values(depth + 1, split)
    }
  }

  /** The value there; undefined where it is too long or no JSON. */
  private parse({ start, end }: JsonSpan): unknown {
    const text = this.text.slice(start, end)
    try {
      return isTooLong(text) ? undefined : (JSON.parse(text) as unknown)
    } catch {
      return undefined
    }
  }

  private row(span: JsonSpan, split: string | undefined): JsonRow {
    const where = { line: this.lineAt(span.start), ...(split !== undefined && { split }) }
    if (span.fault !== undefined) return { ...where, reason: span.fault }
    const value = this.parse(span)
    if (isJsonRecord(value)) return { ...where, record: unwrapped(value) }
    if (value !== undefined) return { ...where, reason: 'it is not a JSON object' }
    const isLong = isTooLong(this.text.slice(span.start, span.end))
    return { ...where, reason: isLong ? 'it is longer than 1 MiB' : NOT_JSON }
  }

  private *object(span: JsonSpan, depth: number, split: string | undefined): Generator<JsonRow> {
    const row = this.row(span, split)
    if ('record' in row && this.kinds.isRow(row.record)) {
      yield row
      return
    }
    const columns = 'record' in row ? columnRows(row.record) : null
    const lists = columns || span.fault !== undefined || depth >= MAX_WRAPPED ? [] : this.listsOf(span)
    for (const record of columns ?? []) yield { ...row, record }
    for (const { key, start } of lists) {
      this.at = start
      const side = splitOf(key) === undefined ? split : key
      if (this.text.charAt(start) === '[') yield* this.list(depth + 1, side)
      else yield* this.object(containerSpan(this.text, start), depth + 1, side)
    }
    if (lists.length > 0) this.at = span.end
    else if (!columns) yield row
  }

  /** Where the rows of an object lie that is none itself: lists of objects, or objects that hold such lists. */
  private listsOf(span: JsonSpan): readonly JsonField[] {
    const fields = [...jsonFields(this.text, span.start)]
    const holds = ({ start }: JsonField): boolean => {
      if (this.text.charAt(start) !== '[') return false
      return isContainer(this.text, skipBlanks(this.text, start + 1, /\s/))
    }
    const lists = fields.filter(holds)
    const named = lists.filter(({ key }) => LISTS.has(key.toLowerCase()) || splitOf(key) !== undefined)
    const chosen = named.length > 0 ? named : lists
    if (chosen.length === 0) {
      const isOuter = ({ start, key }: JsonField): boolean =>
        this.text.charAt(start) === '{' && (LISTS.has(key.toLowerCase()) || splitOf(key) !== undefined)
      return fields.filter(isOuter)
    }
    this.kinds.onLeft(lists.filter((list) => !chosen.includes(list)).map(({ key }) => key))
    return chosen
  }
}

/** A row as the data sets server of Hugging Face wraps it. */
function unwrapped(record: JsonRecord): JsonRecord {
  const row = ownField(record, 'row')
  return isJsonRecord(row) && Object.hasOwn(record, 'row_idx') ? row : record
}

/** The rows of an object that holds columns: lists of one length or, as pandas writes them, objects by index. */
function columnRows(record: JsonRecord): readonly JsonRecord[] | null {
  const [names, data] = [ownField(record, 'columns'), ownField(record, 'data')]
  if (Array.isArray(names) && Array.isArray(data) && data.every((row) => Array.isArray(row))) {
    return data.map((row) =>
      Object.fromEntries(names.map((name, index) => [String(name), row[index] as unknown])),
    )
  }
  const columns = Object.entries(record).map(([name, values]): readonly [string, readonly unknown[]] => {
    const byIndex = isJsonRecord(values) && Object.keys(values).every((key) => /^\d+$/.test(key))
    return [name, byIndex ? Object.values(values) : Array.isArray(values) ? values : []]
  })
  const length = columns[0]?.[1].length ?? 0
  const isTable = length > 0 && columns.every(([, values]) => values.length === length)
  const hasTexts = columns.some(([, values]) => values.every((value) => typeof value !== 'object'))
  if (!isTable || !hasTexts) return null
  return Array.from({ length }, (_, index) =>
    Object.fromEntries(columns.map(([name, values]) => [name, values[index]])),
  )
}
