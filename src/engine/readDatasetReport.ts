import { readDataset } from '../formats/dataset.ts'
import type { TextModel } from '../model/chatModel.ts'
import { encodeRow } from '../train/rows.ts'
import { splitDialogues } from '../train/split.ts'
import { systemLine } from '../train/trainee.ts'
import type { DatasetParams, DatasetReport } from './protocol.ts'

/**
 * Reads a pasted or dropped text as dialogues, splits them and measures them with the loaded backbone's tokenizer.
 *
 * @throws HycoraError `format-invalid` where the text is no data set at all.
 */
export function readDatasetReport(params: DatasetParams, model: TextModel | null): DatasetReport {
  const { text, fileName, roleName, columns, maxTokens, seed, system } = params
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
  const rejected = [...reading.rejected]
  const lengths: number[] = []
  const cut = { rows: 0, turns: 0, tokens: 0 }
  if (model?.tokenizer && model.template) {
    const { tokenizer, template, stopIds } = model
    const codec = { tokenizer, template, stopIds }
    for (const dialogue of dialogues) {
      const row = encodeRow(codec, dialogue, systemLine(system, dialogue.role), maxTokens)
      if ('reason' in row) {
        rejected.push({ line: dialogue.line, reason: row.reason })
        continue
      }
      lengths.push(row.ids.length)
      if (row.cut.turns + row.cut.tokens === 0) continue
      cut.rows++
      cut.turns += row.cut.turns
      cut.tokens += row.cut.tokens
    }
  }
  return {
    format: reading.format,
    dialogues: dialogues.map(({ role, turns, split, item, line }) => ({
      role,
      turns,
      split,
      line,
      ...(item !== undefined && { item }),
    })),
    rejected: rejected.toSorted((one, other) => one.line - other.line),
    droppedSystemTurns: reading.droppedSystemTurns,
    notes: reading.notes,
    duplicates: dialogues.length - new Set(dialogues.map(({ turns }) => JSON.stringify(turns))).size,
    roles: names.map((name) => {
      const own = dialogues.filter(({ role }) => role === name)
      const test = own.filter(({ split }) => split !== 'train').length
      return { name, train: own.length - test, test }
    }),
    lengths,
    cut,
    columns: reading.columns ?? null,
  }
}
