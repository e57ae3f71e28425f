import { check } from '../core/errors.ts'
import { addCardExamples, isCard } from './dataset/cardExamples.ts'
import { addCsv, csvHeader, guessColumns } from './dataset/csv.ts'
import { arrayElements, parseRecord, textLines } from './dataset/jsonRows.ts'
import type { TextRow } from './dataset/jsonRows.ts'
import { ItemRows, isItem } from './dataset/items.ts'
import { DialogueCollector } from './dataset/reading.ts'
import type { DatasetDialogue, DatasetFormat, DatasetOptions, DatasetReading } from './dataset/reading.ts'
import { addRecord } from './dataset/records.ts'
import { addScript, isScript } from './dataset/script.ts'
import { addChat, isSillyTavern } from './dataset/sillyTavern.ts'

const MAX_CHARACTERS = 2 ** 26

/**
 * Reads a data set of any of the formats that role-players and fine-tuners use, told apart by content: messages JSONL or
 * JSON, items (one answer to a question in several wordings), ShareGPT, Alpaca, RoleBench (each of several references a dialogue of its own), a SillyTavern chat, a card's
 * example dialogue, CSV, or `Name: line` text. A row that cannot be used is rejected with its line and reason.
 *
 * @throws HycoraError `format-invalid` when the text has more than 2²⁶ characters, is none of these, more than 32 people
 *   speak in a script, or more than 100,000 rows cannot be used.
 */
export function readDataset(text: string, fileName: string, options: DatasetOptions = {}): DatasetReading {
  check(text.length <= MAX_CHARACTERS, 'format-invalid', () => {
    return `${fileName} has ${text.length} characters, at most ${MAX_CHARACTERS} are read`
  })
  const plain = text.replace(/^\uFEFF/, '').replaceAll(/\r(?!\n)/g, '\n')
  const into = new DialogueCollector(fileName)
  const { format, columns } = readInto(plain, fileName, options, into)
  const { dialogues, rejected, droppedSystemTurns } = into
  return { format, dialogues, rejected, droppedSystemTurns, ...(columns ? { columns } : {}) }
}

function readInto(
  text: string,
  fileName: string,
  options: DatasetOptions,
  into: DialogueCollector,
): { readonly format: DatasetFormat; readonly columns?: readonly string[] } {
  if (/^\s*\[\s*[{\]]/.test(text))
    return { format: addJson(() => arrayElements(text), fileName, options, into) }
  if (/^\s*\{\s*["}]/.test(text)) return { format: addJson(() => objects(text), fileName, options, into) }
  const header = csvHeader(text)
  const isTable = options.columns ?? (header && guessColumns(header.columns))
  if (header && (isTable || /\.[ct]sv$/i.test(fileName))) {
    addCsv(text, header, options, into)
    return { format: 'csv', columns: header.columns }
  }
  check(isScript(text), 'format-invalid', () => {
    return `${fileName} is no data set that is known: expected JSON, JSONL, CSV with a header, or "Name: line" text`
  })
  addScript(text, options, fileName, into)
  return { format: 'script' }
}

/** The JSON objects of a text: the whole of it where it is one, else one a line. */
function objects(text: string): Iterable<TextRow> {
  const start = text.length - text.trimStart().length
  if (text.trim().includes('\n') && 'record' in parseRecord(text)) {
    return [{ line: text.slice(0, start).split('\n').length, text }]
  }
  return textLines(text)
}

function addJson(
  rows: () => Iterable<TextRow>,
  fileName: string,
  options: DatasetOptions,
  into: DialogueCollector,
): DatasetFormat {
  let format: DatasetFormat | undefined
  const items = new ItemRows(into)
  for (const { line, text } of rows()) {
    const parsed = parseRecord(text)
    if ('reason' in parsed) {
      into.reject(line, parsed.reason)
      continue
    }
    const { record } = parsed
    if (format === undefined && isSillyTavern(record)) {
      into.rejected.length = 0
      addChat(rows(), options, fileName, into)
      return 'sillytavern'
    }
    if (isCard(record)) {
      addCardExamples(record, line, fileName, into)
      format ??= 'card'
    } else if (isItem(record)) {
      items.take(record, line, options)
      format ??= 'items'
    } else {
      const family = addRecord(record, line, options, into)
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
