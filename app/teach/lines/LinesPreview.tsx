import { useState } from 'react'

import type { DatasetReport } from '../../../src/engine/protocol.ts'
import { Button } from '../../shared/Button.tsx'
import { Detail } from '../../shared/Detail.tsx'
import { count } from '../../shared/format.ts'
import { useLines } from '../../stores/teach/lines.ts'
import { ColumnMapping } from './ColumnMapping.tsx'
import { LengthHistogram } from './LengthHistogram.tsx'
import styles from './LinesPreview.module.css'
import { Samples } from './Samples.tsx'
import { listNames } from '../../words/names.ts'
import { teachText } from '../../words/teach.ts'

const FORMATS = [
  'messages',
  'items',
  'sharegpt',
  'alpaca',
  'csv',
  'rolebench',
  'sillytavern',
  'card',
  'script',
  'log',
] as const

/** What a form of lines is called; one that has no name is said as it is. */
function formatName(format: string): string {
  const known = FORMATS.find((one) => one === format)
  return known ? teachText(`format.${known}`) : format
}

/** What the lines will be in the rehearsal: whom they teach, how long they are, and what cannot be used. */
export function LinesPreview({ report }: { readonly report: DatasetReport }) {
  const maxTokens = useLines((state) => state.maxTokens)
  const { warnings, left } = useLines()
  const { dialogues, roles, rejected, lengths, columns, samples } = report
  const heldOut = roles.reduce((sum, { test }) => sum + test, 0)
  return (
    <div className={styles.preview} aria-live="polite">
      {columns && <ColumnMapping key={columns.join('\n')} columns={columns} isKnown={dialogues.length > 0} />}
      <p className={styles.summary}>
        {teachText('preview', {
          dialogues: dialogues.length,
          roles: roles.length,
          format: formatName(report.format),
        })}
      </p>
      <ul className={styles.notes}>
        {[...warnings, ...report.notes].map((note) => (
          <li key={note}>
            <Detail detail={note} isSentence />
          </li>
        ))}
        {left.length > 0 && <li>{teachText('note.notRead', { left: listNames(left) })}</li>}
        {notesOf(report).map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      {dialogues.length > 0 && (
        <div className={styles.figures}>
          <div>
            <RoleTable roles={roles} />
            <p className={styles.note}>
              {heldOut > 0 ? teachText('heldOut.about') : teachText('heldOut.none')}
            </p>
          </div>
          {lengths.length > 0 && <LengthHistogram lengths={lengths} maxTokens={maxTokens} />}
        </div>
      )}
      {samples.length > 0 && <Samples samples={samples} />}
      {rejected.length > 0 && <Rejected rows={rejected} />}
    </div>
  )
}

function RoleTable({ roles }: { readonly roles: DatasetReport['roles'] }) {
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">{teachText('table.character')}</th>
          <th scope="col">{teachText('table.toLearn')}</th>
          <th scope="col">{teachText('table.heldOut')}</th>
        </tr>
      </thead>
      <tbody>
        {roles.map(({ name, train, test }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{count(train)}</td>
            <td>{count(test)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** How many rejected rows are listed before the rest is asked for. */
const ROWS = 50

function Rejected({ rows }: { readonly rows: DatasetReport['rejected'] }) {
  const [limit, setLimit] = useState(ROWS)
  return (
    <details className={styles.rejected} open={rows.length <= 5}>
      <summary>{teachText('rejected', { rows: rows.length })}</summary>
      <ol className={styles.rows}>
        {rows.slice(0, limit).map(({ line, reason, file }, index) => (
          // Several rejections may be of one line.
          <li key={`${line} ${index}`}>
            <span className={styles.line}>
              {file === undefined
                ? teachText('rejected.line', { line })
                : teachText('rejected.lineOf', { file, line })}
            </span>{' '}
            <Detail detail={reason} />
          </li>
        ))}
      </ol>
      {rows.length > limit && (
        <Button
          label={teachText('more', { count: rows.length - limit })}
          onClick={() => setLimit(limit + 10 * ROWS)}
        />
      )}
    </details>
  )
}

/** What was left out or cut, a sentence each. */
function notesOf({ cut, duplicates, droppedSystemTurns }: DatasetReport): readonly string[] {
  const notes: string[] = []
  if (droppedSystemTurns > 0) notes.push(teachText('note.system', { turns: droppedSystemTurns }))
  if (duplicates > 0) notes.push(teachText('note.repeated', { dialogues: duplicates }))
  if (cut.rows > 0) {
    notes.push(cutText(cut))
  }
  return notes
}

/** By what dialogues were cut that were too long. */
function cutText({ rows: dialogues, turns, tokens }: DatasetReport['cut']): string {
  if (turns === 0) return teachText('note.cut.tokens', { dialogues, tokens })
  if (tokens === 0) return teachText('note.cut.turns', { dialogues, turns })
  return teachText('note.cut.both', { dialogues, turns, tokens })
}
