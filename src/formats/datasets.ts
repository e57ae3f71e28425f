import { readDataset } from './dataset.ts'
import { fileSides } from './dataset/fileSides.ts'
import type { DatasetDialogue, DatasetOptions, DatasetReading, RejectedRow } from './dataset/reading.ts'

/** A text, under its path where it lay in a folder. */
export interface DatasetFile {
  readonly name: string
  readonly text: string
}

/** What was read of one file or several; where there are several, each thing says of which it is. */
export interface DatasetsReading extends Omit<DatasetReading, 'dialogues' | 'rejected'> {
  readonly dialogues: readonly (DatasetDialogue & { readonly file?: string })[]
  readonly rejected: readonly (RejectedRow & { readonly file?: string })[]
}

/**
 * Reads files that are one data set, the sides of their rows taken from the files' names where neither row nor key says
 * them.
 *
 * @throws HycoraError `format-invalid`, `format-unsupported` as `readDataset`, for the first file that is none.
 */
export function readDatasets(files: readonly DatasetFile[], options: DatasetOptions = {}): DatasetsReading {
  const sides = fileSides(files.map(({ name }) => name))
  const readings = files.map(({ name, text }, index) => {
    const side = sides[index]
    const reading = readDataset(text, name, { ...options, ...(side && { side }) })
    if (files.length === 1) return reading
    const of = <Row extends object>(row: Row): Row & { readonly file: string } => ({ ...row, file: name })
    const notes = reading.notes.map((note) => `${name}: ${note}`)
    return { ...reading, dialogues: reading.dialogues.map(of), rejected: reading.rejected.map(of), notes }
  })
  const columns = readings.find((reading) => reading.columns)?.columns
  return {
    format: readings[0]?.format ?? 'messages',
    dialogues: readings.flatMap(({ dialogues }) => dialogues),
    rejected: readings.flatMap(({ rejected }) => rejected),
    droppedSystemTurns: readings.reduce((sum, { droppedSystemTurns }) => sum + droppedSystemTurns, 0),
    notes: [...sideNotes(files, sides), ...readings.flatMap(({ notes }) => notes)],
    ...(columns && { columns }),
  }
}

/** What the names of files say of their rows. */
function sideNotes(files: readonly DatasetFile[], sides: ReturnType<typeof fileSides>): readonly string[] {
  const named = (side: 'train' | 'test'): string =>
    files.flatMap(({ name }, index) => (sides[index] === side ? [name] : [])).join(', ')
  const [learnt, held] = [named('train'), named('test')]
  if (held === '') return []
  return [
    learnt === ''
      ? `By the files’ names ${held} is held out.`
      : `By the files’ names ${learnt} is learnt, ${held} is held out.`,
  ]
}
