import { check } from '../core/errors.ts'
import { addCardExamples, isCard } from './dataset/cardExamples.ts'
import { csvHeader } from './dataset/csv.ts'
import { ItemRows, isItem } from './dataset/items.ts'
import { jsonRows } from './dataset/jsonRows.ts'
import type { JsonRow } from './dataset/jsonRows.ts'
import { LogRows } from './dataset/logRows.ts'
import { DialogueCollector } from './dataset/reading.ts'
import type { DatasetDialogue, DatasetFormat, DatasetOptions, DatasetReading } from './dataset/reading.ts'
import { Fields } from './dataset/fields.ts'
import { addRecord, isRow } from './dataset/records.ts'
import type { Sinks } from './dataset/records.ts'
import { addScript, isScript } from './dataset/script.ts'
import { addChat, isSillyTavern } from './dataset/sillyTavern.ts'
import { addStamped, isStamped } from './dataset/stamped.ts'
import { addTable, areKnown } from './dataset/tables.ts'
import { isDialogue } from './dataset/turns.ts'

const MAX_CHARACTERS = 2 ** 26

/**
 * Reads a data set of any of the formats that role-players and fine-tuners use, told apart by content: rows in JSON Lines
 * or JSON, in whichever way they stand there (messages, ShareGPT, Alpaca, preferences, RoleBench, lines by their speakers,
 * items: one answer to a question in several wordings), a SillyTavern chat, a card's example dialogue, a table of such
 * rows, the export of a messenger, or `Name: line` text. All of them go through one collector; a row that cannot be used is
 * rejected with its line and reason.
 *
 * @throws HycoraError `format-invalid` when the text has more than 2²⁶ characters, is none of these, more than 32 people
 *   speak in a script, or more than 100,000 rows cannot be used.
 */
export function readDataset(text: string, fileName: string, options: DatasetOptions = {}): DatasetReading {
  check(text.length <= MAX_CHARACTERS, 'format-invalid', () => {
    return `${fileName} has ${text.length} characters, at most ${MAX_CHARACTERS} are read`
  })
  const plain = text.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
  const into = new DialogueCollector(fileName, options.side)
  const sinks = { into, logs: new LogRows(into, fileName), options, fileName }
  const { format, columns } = readInto(plain, sinks)
  sinks.logs.finish(options)
  const { dialogues, rejected, droppedSystemTurns } = into
  rejected.sort((one, other) => one.line - other.line)
  const notes = into.notes()
  return { format, dialogues, rejected, droppedSystemTurns, notes, ...(columns ? { columns } : {}) }
}

function readInto(
  text: string,
  sinks: Sinks,
): { readonly format: DatasetFormat; readonly columns?: readonly string[] } {
  const { fileName, options, into } = sinks
  if (/^\s*(?:\[\s*["[{\]]|\{\s*["}])/.test(text)) return { format: addJson(text, sinks) }
  check(!/^\s*[[{]\s*[{[]?\s*'/.test(text), 'format-unsupported', () => {
    return `${fileName} is written by Python’s str(), not as JSON: save it with json.dumps()`
  })
  check(
    !/^\s*-\s+(?:conversations|from|messages|role|speaker|user)\s*:/m.test(text.slice(0, 4096)),
    'format-unsupported',
    () => {
      return `${fileName} looks like YAML, which is not read: save it as JSON`
    },
  )
  if (isStamped(text)) {
    addStamped(text, options, fileName, into)
    return { format: 'script' }
  }
  const header = csvHeader(text, areKnown)
  const isTable = options.columns ?? (header && header.columns.length > 1 && areKnown(header.columns))
  if (header && (isTable || /\.[ct]sv$/i.test(fileName))) {
    addTable(text, header, sinks)
    return { format: 'csv', columns: header.columns }
  }
  check(isScript(text), 'format-invalid', () => {
    return `${fileName} is no data set that is known: expected JSON, JSONL, CSV with a header, or "Name: line" text`
  })
  addScript(text, options, fileName, into)
  return { format: 'script' }
}

function addJson(text: string, sinks: Sinks): DatasetFormat {
  const { into, options, fileName } = sinks
  const kinds = {
    isRow: (record: Parameters<typeof isRow>[0]) =>
      isCard(record) || isItem(record) || isSillyTavern(record) || isRow(record),
    isDialogue,
    onLeft: (keys: readonly string[]) => into.leave(keys),
  }
  let format: DatasetFormat | undefined
  const items = new ItemRows(into)
  const rows = jsonRows(text, kinds)
  const before: JsonRow[] = []
  for (const row of rows) {
    if ('reason' in row) {
      into.reject(row.line, row.reason)
      if (format === undefined) before.push(row)
      continue
    }
    const { record, line } = row
    if (format === undefined && isSillyTavern(record)) {
      into.rejected.length = 0
      addChat([...before, row], rows, options, fileName, into)
      return 'sillytavern'
    }
    if (isCard(record)) {
      addCardExamples(record, line, fileName, into)
      format ??= 'card'
    } else if (isItem(record)) {
      items.take(row, sinks)
      format ??= 'items'
    } else {
      const { split, isList = false } = row
      const family = addRecord({ fields: new Fields(record), line, split, isList }, sinks)
      format ??= family
    }
  }
  items.finish()
  return format ?? 'messages'
}

/** The data set as messages JSONL, with role, item and split; `readDataset` gives back the same dialogues. */
export function writeDataset(dialogues: readonly Omit<DatasetDialogue, 'line'>[]): string {
  const rows = dialogues.map(({ role, item, split, turns }) => ({
    role,
    ...(item !== undefined && { item }),
    ...(split && { split }),
    messages: turns.map(({ speaker, text, isLearnt }) => ({
      role: speaker === 'user' ? 'user' : 'assistant',
      content: text,
      ...(isLearnt === false && { weight: 0 }),
    })),
  }))
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
