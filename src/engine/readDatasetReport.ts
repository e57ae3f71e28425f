import type { SplitDialogue } from '../core/dialogue.ts'
import { readDatasets } from '../formats/datasets.ts'
import type { DatasetFile } from '../formats/datasets.ts'
import type { TextCodec, TextModel } from '../model/chatModel.ts'
import { encodeRow } from '../train/data/rows.ts'
import { sampleRows, sampleTurns } from '../train/data/samples.ts'
import type { EncodedDialogue } from '../train/data/samples.ts'
import { splitDialogues } from '../train/data/split.ts'
import { systemLine } from '../train/parameters/trainee.ts'
import type { DatasetParams, DatasetReport } from './protocol.ts'

const NOTHING_CUT = { rows: 0, turns: 0, tokens: 0 }

/** What the tokenizer says of dialogues: how long they are, what was cut of them, what cannot be a row. */
function measure(
  codec: TextCodec,
  dialogues: readonly (Placed & SplitDialogue)[],
  { system, maxTokens }: Pick<DatasetParams, 'system' | 'maxTokens'>,
): Pick<DatasetReport, 'lengths' | 'cut' | 'samples' | 'rejected'> {
  const rejected: DatasetReport['rejected'][number][] = []
  const rows: EncodedDialogue[] = []
  for (const dialogue of dialogues) {
    const row = encodeRow(codec, dialogue, systemLine(system, dialogue.role), maxTokens)
    if ('reason' in row) rejected.push({ ...placeOf(dialogue), reason: row.reason })
    else rows.push({ dialogue, row })
  }
  const cuts = rows.map(({ row }) => row.cut).filter(({ turns, tokens }) => turns + tokens > 0)
  return {
    lengths: rows.map(({ row }) => row.ids.length),
    cut: {
      rows: cuts.length,
      turns: cuts.reduce((sum, { turns }) => sum + turns, 0),
      tokens: cuts.reduce((sum, { tokens }) => sum + tokens, 0),
    },
    samples: sampleRows(codec, rows),
    rejected,
  }
}

/** Where something stands, and in which file where there are several. */
interface Placed {
  readonly line: number
  readonly file?: string
}

function placeOf({ line, file }: Placed): Placed {
  return { line, ...(file !== undefined && { file }) }
}

function inOrder<Row extends Placed>(rows: readonly Row[], files: readonly DatasetFile[]): readonly Row[] {
  const places = new Map(files.map(({ name }, index) => [name, index]))
  const fileOf = ({ file }: Placed): number => (file === undefined ? 0 : (places.get(file) ?? 0))
  return rows.toSorted((one, other) => fileOf(one) - fileOf(other) || one.line - other.line)
}

/**
 * Reads pasted or dropped texts as dialogues, splits them and measures them with the loaded backbone's tokenizer.
 *
 * @throws HycoraError `format-invalid` where one of them is no data set at all.
 */
export function readDatasetReport(params: DatasetParams, model: TextModel | null): DatasetReport {
  const { files, roleName, columns, seed } = params
  const reading = readDatasets(files, {
    ...(roleName !== null && { roleName }),
    ...(columns && {
      columns: {
        user: columns.user,
        reply: columns.reply,
        ...(columns.role !== null && { role: columns.role }),
      },
    }),
  })
  const dialogues = splitDialogues(reading.dialogues, seed)
  const names = [...new Set(dialogues.map(({ role }) => role))]
  const measured =
    model?.tokenizer && model.template
      ? measure({ ...model, tokenizer: model.tokenizer, template: model.template }, dialogues, params)
      : { lengths: [], cut: NOTHING_CUT, samples: sampleTurns(dialogues), rejected: [] }
  return {
    format: reading.format,
    dialogues: dialogues.map(({ role, turns, split, item, ...place }) => ({
      role,
      turns,
      split,
      ...placeOf(place),
      ...(item !== undefined && { item }),
    })),
    ...measured,
    rejected: inOrder([...reading.rejected, ...measured.rejected], files),
    droppedSystemTurns: reading.droppedSystemTurns,
    notes: reading.notes,
    duplicates: dialogues.length - new Set(dialogues.map(({ turns }) => JSON.stringify(turns))).size,
    roles: names.map((name) => {
      const own = dialogues.filter(({ role }) => role === name)
      const test = own.filter(({ split }) => split !== 'train').length
      return { name, train: own.length - test, test }
    }),
    columns: reading.columns ?? null,
  }
}
