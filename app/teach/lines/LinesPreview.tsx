import { useState } from 'react'

import type { DatasetReport } from '../../../src/engine/protocol.ts'
import { Button } from '../../shared/Button.tsx'
import { count } from '../../shared/format.ts'
import { useLines } from '../../stores/teach/lines.ts'
import { ColumnMapping } from './ColumnMapping.tsx'
import { LengthHistogram } from './LengthHistogram.tsx'
import styles from './LinesPreview.module.css'
import { Samples } from './Samples.tsx'

const formats: Readonly<Record<string, string>> = {
  messages: 'chat messages',
  items: 'questions in several wordings',
  sharegpt: 'ShareGPT conversations',
  alpaca: 'Alpaca instructions',
  csv: 'a table',
  rolebench: 'RoleBench rows',
  sillytavern: 'a SillyTavern chat',
  card: 'a character card’s examples',
  script: 'lines with names',
  log: 'what several say, a row a line',
}

/** What the lines will be in the rehearsal: whom they teach, how long they are, and what cannot be used. */
export function LinesPreview({ report }: { readonly report: DatasetReport }) {
  const maxTokens = useLines((state) => state.maxTokens)
  const warnings = useLines((state) => state.warnings)
  const { dialogues, roles, rejected, lengths, columns, samples } = report
  const heldOut = roles.reduce((sum, { test }) => sum + test, 0)
  return (
    <div className={styles.preview} aria-live="polite">
      {columns && <ColumnMapping key={columns.join('\n')} columns={columns} isKnown={dialogues.length > 0} />}
      <p className={styles.summary}>
        {plural(dialogues.length, 'dialogue')} of {plural(roles.length, 'character')}, read as{' '}
        {formats[report.format] ?? report.format}.
      </p>
      <ul className={styles.notes}>
        {[...warnings, ...notesOf(report)].map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      {dialogues.length > 0 && (
        <div className={styles.figures}>
          <div>
            <RoleTable roles={roles} />
            <p className={styles.note}>
              {heldOut > 0
                ? 'What is held out is never learnt: it shows whether the character was understood or only learnt by heart. Where the lines do not say what that is, it is about a fifth of each character’s dialogues.'
                : 'With fewer than three dialogues nothing is held out, so nothing shows whether the character was understood or only learnt by heart.'}
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
          <th scope="col">Character</th>
          <th scope="col">To learn</th>
          <th scope="col">Held out</th>
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
      <summary>
        {rows.length === 1 ? 'One row cannot be used' : `${count(rows.length)} rows cannot be used`}
      </summary>
      <ol className={styles.rows}>
        {rows.slice(0, limit).map(({ line, reason, file }, index) => (
          // Several rejections may be of one line.
          <li key={`${line} ${index}`}>
            <span className={styles.line}>
              {file === undefined ? 'Line' : `${file}, line`} {count(line)}
            </span>{' '}
            {reason}
          </li>
        ))}
      </ol>
      {rows.length > limit && (
        <Button
          label={`Show more (${count(rows.length - limit)})`}
          onClick={() => setLimit(limit + 10 * ROWS)}
        />
      )}
    </details>
  )
}

/** What was left out or cut, a sentence each. */
function notesOf({ cut, duplicates, droppedSystemTurns, notes: told }: DatasetReport): readonly string[] {
  const notes = [...told]
  if (droppedSystemTurns > 0)
    notes.push(
      `${plural(droppedSystemTurns, 'system turn')} left out: the line before every chat belongs to the character.`,
    )
  if (duplicates > 0)
    notes.push(`${plural(duplicates, 'repeated dialogue')}: copies stay on one side of what is held out.`)
  if (cut.rows > 0) {
    const parts = [
      ...(cut.turns > 0 ? [`${plural(cut.turns, 'turn')} from the front`] : []),
      ...(cut.tokens > 0 ? [`${plural(cut.tokens, 'token')} from the end`] : []),
    ]
    notes.push(`${plural(cut.rows, 'dialogue')} too long: cut by ${parts.join(' and ')}.`)
  }
  return notes
}

function plural(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`
}
