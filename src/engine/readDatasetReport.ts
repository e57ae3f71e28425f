import type { SplitDialogue } from '../core/dialogue.ts'
import { readDataset } from '../formats/dataset.ts'
import type { DatasetDialogue } from '../formats/dataset/reading.ts'
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
  dialogues: readonly (DatasetDialogue & SplitDialogue)[],
  { system, maxTokens }: Pick<DatasetParams, 'system' | 'maxTokens'>,
): Pick<DatasetReport, 'lengths' | 'cut' | 'samples' | 'rejected'> {
  const rejected: DatasetReport['rejected'][number][] = []
  const rows: EncodedDialogue[] = []
  for (const dialogue of dialogues) {
    const row = encodeRow(codec, dialogue, systemLine(system, dialogue.role), maxTokens)
    if ('reason' in row) rejected.push({ line: dialogue.line, reason: row.reason })
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

/**
 * Reads a pasted or dropped text as dialogues, splits them and measures them with the loaded backbone's tokenizer.
 *
 * @throws HycoraError `format-invalid` where the text is no data set at all.
 */
export function readDatasetReport(params: DatasetParams, model: TextModel | null): DatasetReport {
  const { text, fileName, roleName, columns, seed } = params
  const reading = readDataset(text, fileName, {
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
    dialogues: dialogues.map(({ role, turns, split, item, line }) => ({
      role,
      turns,
      split,
      line,
      ...(item !== undefined && { item }),
    })),
    ...measured,
    rejected: [...reading.rejected, ...measured.rejected].toSorted((one, other) => one.line - other.line),
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
